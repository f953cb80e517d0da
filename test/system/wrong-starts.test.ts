import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, NODE, run } from '../support/program.js';

const PARSER = { PARSE_SIDECAR_URL: 'http://127.0.0.1:9' };
const S3 = {
  S3_ENDPOINT: 'http://127.0.0.1:1',
  S3_ACCESS_KEY_ID: 'x',
  S3_SECRET_ACCESS_KEY: 'y',
  // The S3 client has one for Node 20.
  NODE_NO_WARNINGS: '1',
};

/** What stands in the place of what a setting should name; below a folder of the test. */
let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'coredock-wrong-'));
  await mkdir(join(dir, 'folder'));
  await writeFile(join(dir, 'file'), 'a text of some length that is no database');
  execFileSync('mkfifo', [join(dir, 'pipe')]);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Of each: the settings, where DIR is the folder; what the one line has to name beside the setting's value. */
const WRONG: ReadonlyArray<{
  setting: string;
  value: string;
  command?: string;
  others?: Record<string, string>;
  says?: string;
}> = [
  ...[
    ['file:/proc/coredock.db', 'cannot'],
    ['file:/proc/x/coredock.db', 'its folder|no folder'],
    ['file:/sys/coredock.db', 'cannot'],
    ['file:/dev/null', 'not a plain file'],
    ['file:/dev/zero', 'not a plain file'],
    ['file:DIR/pipe', 'not a plain file'],
    ['file:DIR/folder', 'a folder'],
    ['file:DIR/file', 'not an SQLite file'],
    ['file:DIR/file/coredock.db', 'no folder'],
    ['file::memory:', 'name a file'],
    ['file:DIR/new.db?mode=ro', 'without parameters'],
    ['postgresql://somebody:secret@127.0.0.1:1/nothing', 'ECONNREFUSED'],
  ].map(([value = '', says = '']) => ({ setting: 'DATABASE_URL', value, says })),
  ...['COREDUMPS_DIR', 'ASSETS_DIR', 'PARSE_SIDECAR_XFER_DIR'].flatMap((setting) =>
    ['/proc/x', '/proc/x/y', '/dev/null', '/sys/x', 'DIR/pipe', 'DIR/file', 'DIR/file/x'].map((value) => ({
      setting,
      value,
      others: setting === 'PARSE_SIDECAR_XFER_DIR' ? PARSER : {},
    })),
  ),
  { setting: 'COREDUMPS_DIR', value: '/proc/x/y', command: 'start' },
  { setting: 'COREDUMPS_DIR', value: 'DIR/file/x', command: 'start' },
  ...['DIR/nothing', 'DIR/file', 'DIR/folder', 'DIR/pipe', '/dev/zero'].map((value) => ({
    setting: 'PERSISTED_DOCUMENTS',
    value,
  })),
  { setting: 'ESP_ROM_ELF_DIR', value: 'DIR/nothing', command: 'start' },
  { setting: 'ESP_ROM_ELF_DIR', value: 'DIR/file', command: 'start' },
  { setting: 'S3_BUCKET', value: 'a-bucket', others: S3, says: 'http://127.0.0.1:1' },
];

describe('a start that cannot be', () => {
  it.concurrent.each(WRONG)('ends with one line: $setting=$value $command', async (wrong) => {
    const { setting, command = 'serve', others = {}, says = '' } = wrong;
    const value = wrong.value.replace('DIR', dir);

    const { code, stderr } = await run([command], {
      cwd: await mkdtemp(join(dir, 'run-')),
      environment: { PORT: '0', [setting]: value, ...others },
    });

    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(setting);
    expect(stderr).toContain(value.replace(/^file:|^postgresql:.*@/g, ''));
    expect(stderr).toMatch(new RegExp(says));
    expect(stderr).not.toContain('secret');
    expect(code).toBe(1);
  });

  it.each(['serve', 'start', 'sidecar', 'migrate', 'healthcheck'])(
    'ends when .env is there and cannot be read, so that it is not open without its tokens: %s',
    async (command) => {
      const cwd = await mkdtemp(join(dir, 'run-'));
      // Root can read every file, but no folder.
      await mkdir(join(cwd, '.env'));

      const { code, stderr } = await run([command], { cwd, environment: { HOST: '0.0.0.0', PORT: '0' } });

      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^coredock: \.env cannot be read \(EISDIR\), .*\n$/),
      ]);
    },
  );

  it('ends with one line when the database can be read and not written', async (context) => {
    // Root may write everything, so it becomes nobody.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const canStart = spawnSync(NODE, [CLI, '--version'], { cwd: '/', ...nobody }).status === 0;
    context.skip(!canStart, 'needs a Node.js and a build that the user nobody can read');
    const cwd = await mkdtemp(join(dir, 'run-'));
    const file = join(cwd, 'coredock.db');
    const environment = { PORT: '0', DATABASE_URL: `file:${file}` };
    expect(await run(['migrate'], { cwd, environment })).toMatchObject({ code: 0 });
    await chmod(file, 0o444);
    for (const path of [cwd, ...(await readdir(cwd)).map((name) => join(cwd, name))])
      if (nobody.uid !== undefined) await chown(path, nobody.uid, nobody.gid);
    await chmod(dir, 0o755);

    const { status, stderr } = spawnSync(NODE, [CLI, 'serve'], {
      ...{ cwd, ...nobody, env: { PATH: process.env.PATH, ...environment }, encoding: 'utf8' },
      timeout: 20_000,
    });

    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(`^coredock: DATABASE_URL: the database ${file} cannot be written: EACCES.*\\n$`),
    ]);
  });
});
