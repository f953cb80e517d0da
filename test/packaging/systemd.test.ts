import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/app.js';
import { areInstalled } from '../support/installed.js';
import { foundIn } from '../support/output.js';
import { aFolder, aProgram } from '../support/program.js';
import { fillDisk, mountTinyDisk } from '../support/tiny-disk.js';

const UNIT = fileURLToPath(new URL('../../packaging/systemd/coredock.service', import.meta.url));
const README = fileURLToPath(new URL('../../packaging/systemd/README.md', import.meta.url));

describe.skipIf(!areInstalled('systemd-analyze'))('the unit (needs systemd-analyze)', () => {
  it('has nothing that systemd does not know', () => {
    // Unknown keys and bad values are only warnings: the exit code is 0.
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', UNIT], { encoding: 'utf8' });

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('exposes less than 2 of 10', () => {
    const { status, stdout } = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--threshold=20', UNIT],
      { encoding: 'utf8' },
    );

    expect(stdout).toMatch(/Overall exposure level for coredock\.service: [01]\.\d/);
    expect(status).toBe(0);
  });
});

describe.skipIf(!areInstalled('systemd-notify', 'perl'))('systemd (needs systemd-notify and perl)', () => {
  it('hears when a server is ready, what it lacks, that it lives, and that it stops', async ({ skip }) => {
    const disk = mountTinyDisk(48) ?? skip('this user may not mount a disk');
    onTestFinished(disk.remove);
    const [dir, storage] = [await aFolder(), join(disk.path, 'storage')];
    const folders = { COREDUMPS_DIR: join(storage, 'coredumps'), ASSETS_DIR: join(storage, 'firmware') };
    const ofAnother = await aSystemd({ WATCHDOG_USEC: '300000', WATCHDOG_PID: '1' });
    const first = await aProgram('serve', { dir, environment: { ...folders, ...ofAnother.environment } });
    await ofAnother.hears('READY=1 STATUS=ready');
    await first.stop('SIGTERM');

    expect(ofAnother.heard()).toEqual([
      'STATUS=starting',
      'READY=1 STATUS=ready',
      'STOPPING=1 STATUS=stopping: requests in flight finish',
    ]);

    const makeRoom = fillDisk(disk.path);
    const systemd = await aSystemd({ WATCHDOG_USEC: '1500000' });
    const program = await aProgram('start', { dir, environment: { ...folders, ...systemd.environment } });
    await systemd.hears('STATUS=not ready: storage down');
    expect((await fetch(`${program.url}/readyz`)).status).toBe(503);
    expect(systemd.heard()).not.toContain('READY=1 STATUS=ready');

    makeRoom();
    await systemd.hears('READY=1 STATUS=ready');
    expect((await fetch(`${program.url}/readyz`)).status).toBe(200);
    await eventually(async () => systemd.count('WATCHDOG=1') > 3, 'the watchdog is fed again and again');

    expect(await program.stop('SIGTERM')).toBe(0);
    await systemd.hears('STOPPING=1 STATUS=stopping: requests in flight finish');
  });
});

it('the steps stay in the folder of the files: that of the service is closed to the person who types them', () => {
  const steps = [...readFileSync(README, 'utf8').matchAll(/^```sh\n(.*?)^```/gms)].map(
    ([, text]) => text ?? '',
  );

  expect(steps.join('')).toContain('env --chdir=/var/lib/coredock coredock init');
  expect(steps.join('')).not.toMatch(/^cd /m);
});

it('a server that cannot notify says so once, and works', async () => {
  const program = await aProgram('start', {
    environment: { NOTIFY_SOCKET: '/nonexistent/notify', WATCHDOG_USEC: '300000' },
  });

  await eventually(async () => program.log().includes('systemd could not be notified'), 'it says so');
  expect((await fetch(`${program.url}/readyz`)).status).toBe(200);
  expect(await program.stop('SIGTERM')).toBe(0);
  expect(program.log().match(/systemd could not be notified/g)).toHaveLength(1);
});

/** A datagram socket like that of systemd. Perl, because Node has none and every Debian has it. */
const RECEIVER = `
use Socket;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die $!;
bind($socket, pack_sockaddr_un($ARGV[0])) or die $!;
$| = 1;
print "bound\\n";
while (defined recv($socket, my $message, 65536, 0)) { $message =~ s/\\n/ /g; print "$message\\n"; }
`;

async function aSystemd(watchdog: Record<string, string>) {
  const socket = join(await aFolder(), 'notify');
  const receiver = spawn('perl', ['-e', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void receiver.kill('SIGKILL'));
  let text = '';
  receiver.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await foundIn(receiver.stdout, /(bound)/);
  // systemd-notify asks with BARRIER=1 whether its message was read.
  const heard = () =>
    text
      .split('\n')
      .slice(1, -1)
      .filter((line) => line !== 'BARRIER=1');
  return {
    environment: { NOTIFY_SOCKET: socket, ...watchdog },
    heard,
    count: (message: string) => heard().filter((line) => line === message).length,
    hears: (message: string) => eventually(async () => heard().includes(message), `systemd hears ${message}`),
  };
}
