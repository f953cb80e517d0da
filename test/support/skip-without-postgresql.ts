import { beforeEach, inject } from 'vitest';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';

beforeEach((context) => {
  if (inject('postgresql') === null) context.skip(NO_POSTGRESQL);
});
