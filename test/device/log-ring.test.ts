import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { buildForHost, hasGcc } from './support/build-device.js';

it.skipIf(!hasGcc).each(['thread', 'address,undefined'])(
  'keeps whole lines and whole values while tasks and an interrupt write at once, with -fsanitize=%s (needs gcc)',
  async (sanitizers) => {
    const program = await buildForHost({ name: 'log-ring', sanitizers });

    const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' });

    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '0\n', stderr: '' });
  },
);
