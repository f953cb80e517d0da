import { join } from 'node:path';
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
  const app = await aServer({
    PARSE_SIDECAR_URL: 'http://127.0.0.1:9',
    PARSE_SIDECAR_XFER_DIR: join(disk.path, 'xfer'),
  });
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
  const seen = new Set<number>();
  await eventually(async () => {
    const { parseStatus, parseAttempts } = await dumpNow();
    expect(parseStatus).toBe('PENDING');
    seen.add(parseAttempts);
    return seen.has(1) && parseAttempts === 0;
  }, 'an attempt was given back');
  expect((await dumpNow()).parseAttempts).toBeLessThan(2);
  makeRoom();
  // Nobody answers there: it is tried three times, and only now.
  await eventually(async () => (await dumpNow()).parseStatus === 'ERROR', 'the parse went on');
  expect((await dumpNow()).parseAttempts).toBe(3);
});
