import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { aDevice, errorOf, eventually, stored, upload } from '../support/app.js';
import { aProgram, type Program } from '../support/program.js';

async function aRunningServer() {
  const program = await aProgram('serve');
  await aDevice(program as never);
  const { coredumpId } = await stored(program, 'before');
  return { program, coredumpId, file: join(program.dir, 'data/coredock.db') };
}

async function refuses(program: Program) {
  expect(await errorOf(await upload(program, `never ${Math.random()}`))).toMatchObject({
    status: 503,
    code: 'UNAVAILABLE',
  });
  const ready = await fetch(`${program.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ database: 'down' });
}

it.each(['', '-wal'])(
  'a database file that is unlinked (%s) under a running server takes no more dumps',
  async (suffix) => {
    const { program, file } = await aRunningServer();

    await rm(`${file}${suffix}`);

    await refuses(program);
    await eventually(
      async () => program.log().includes(`coredock.db${suffix} (DATABASE_URL) is gone`),
      'it is said',
    );
  },
);

it('one that is put back is used again, with all that it had', async () => {
  const { program, file, coredumpId } = await aRunningServer();
  await rename(file, `${file}.away`);
  await refuses(program);

  await rename(`${file}.away`, file);

  await stored(program, 'after');
  expect((await fetch(`${program.url}/readyz`)).status).toBe(200);
  expect((await fetch(`${program.url}/api/coredumps/${coredumpId}/download`)).status).toBe(200);
  expect(program.log().match(/is gone: nothing is stored/g)).toHaveLength(1);
});

it('one that is replaced by another takes no more dumps', async () => {
  const { program, file } = await aRunningServer();

  await rename(file, `${file}.away`);
  await writeFile(file, '');

  await refuses(program);
  await eventually(async () => program.log().includes('was replaced by another file'), 'it is said');
});

it('a folder of dumps that is taken away under a running server takes no more dumps, and is used again', async () => {
  const { program } = await aRunningServer();
  const folder = join(program.dir, 'data/coredumps');
  await rename(folder, `${folder}.away`);

  expect((await upload(program, 'never')).status).toBe(503);
  expect(await (await fetch(`${program.url}/readyz`)).json()).toMatchObject({ storage: 'down' });
  expect(await readdir(join(program.dir, 'data'))).not.toContain('coredumps');

  await rename(`${folder}.away`, folder);
  await stored(program, 'after');
});
