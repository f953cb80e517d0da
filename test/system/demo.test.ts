import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/app.js';
import { aFolder, NODE } from '../support/program.js';

const DEMO = fileURLToPath(new URL('../../dist/demo.js', import.meta.url));

it('the demo reads a crash in a folder of its own, and is let in where settings ask who one is', async () => {
  const somebody = `sha256:${'0'.repeat(64)}`;
  const dir = await aFolder();
  const demo = spawn(NODE, [DEMO], {
    cwd: dir,
    // Of a server of somebody's own, which the demo must leave alone.
    env: {
      PATH: process.env.PATH ?? '',
      PORT: '0',
      VIEWER_TOKENS: somebody,
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/real',
      COREDUMPS_DIR: join(dir, 'real'),
      S3_BUCKET: 'real-dumps',
      S3_ENDPOINT: 'http://127.0.0.1:1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(demo, 'exit');
  onTestFinished(async () => {
    demo.kill('SIGTERM');
    await ended;
  });
  let output = '';
  for (const stream of [demo.stdout, demo.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });

  const token = await eventually(
    async () => /Sign in with the token (\S+)/.exec(output)?.[1] ?? (demo.exitCode === null ? null : 'none'),
    'the demo',
    { limitMs: 300_000 },
  );

  expect(output).toContain('PENDING → PARSED');
  const url = /The stack is up at (\S+)/.exec(output)?.[1];
  const ask = (headers: Record<string, string>) => fetch(`${url}/api/config`, { headers });
  expect(await (await ask({ authorization: `Bearer ${token}` })).json()).toMatchObject({ role: 'admin' });
  expect(await (await ask({})).json()).toMatchObject({ authentication: true, role: null });
  expect(await readdir(dir)).toEqual(['data']);
  expect(await readdir(join(dir, 'data'))).toEqual(['demo']);
});
