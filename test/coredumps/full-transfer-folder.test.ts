import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { aDevice, aServer, eventually, stored } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { fillDisk, mountTinyDisk } from '../support/tiny-disk.js';

it('a full transfer folder lets dumps wait, uses up none of their attempts, and is used again', async ({
  skip,
}) => {
  const disk = mountTinyDisk();
  if (disk === null) return skip('this user may not mount a disk');
  onTestFinished(disk.remove);
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
  const isTold = (what: string) => lines.some((line) => line.includes(`(PARSE_SIDECAR_XFER_DIR) ${what}`));
  const app = await aServer(
    { PARSE_SIDECAR_URL: 'http://127.0.0.1:9', PARSE_SIDECAR_XFER_DIR: join(disk.path, 'xfer') },
    { log },
  );
  await aDevice(app);
  await uploadFirmware(app, { elf: aFirmwareElf({ version: '1.0.0' }) });
  const makeRoom = fillDisk(disk.path);

  const { coredumpId } = await stored(app, Buffer.alloc(10_000, 'dump'));

  const dumpNow = async () =>
    (
      await app.graphql<{ coredump: { parseStatus: string; parseAttempts: number } }>(
        'query ($id: ID!) { coredump(id: $id) { parseStatus parseAttempts } }',
        { id: coredumpId },
      )
    ).coredump;
  await eventually(async () => isTold('is full'), 'the folder is said to be full');
  await eventually(async () => (await dumpNow()).parseAttempts === 0, 'the attempt was given back');
  expect((await dumpNow()).parseStatus).toBe('PENDING');
  makeRoom();
  // Nobody answers there: it is tried three times, and only now.
  await eventually(async () => (await dumpNow()).parseStatus === 'ERROR', 'the parse went on');
  expect((await dumpNow()).parseAttempts).toBe(3);
  expect(isTold('has free space again')).toBe(true);
});
