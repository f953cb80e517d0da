import { describe, expect, it } from 'vitest';
import { BACKGROUND_WORK } from '../../src/compose/background-work.js';
import { documentAt, tableAfter } from './documents.js';

describe('the background work in ARCHITECTURE.md', () => {
  it('is what the list in the program says', () => {
    const rows = tableAfter(
      documentAt('ARCHITECTURE.md'),
      '| work | what it does | when | who begins again | lease |',
    );

    expect(rows.map((row) => row.map((cell) => cell.replaceAll('`', '')))).toEqual(
      BACKGROUND_WORK.map(({ name, does, when, restartedBy, lease }) => [
        name,
        does,
        when,
        restartedBy,
        lease ?? '–',
      ]),
    );
  });
});
