import { describe, expect, it } from 'vitest';
import { aFirmwareElf } from '../support/firmware.js';
import { aFirmwareService } from '../support/firmware-service.js';

const build = (note: string, version = `1.0.${note}`) => aFirmwareElf({ note, version });

describe('MAX_FIRMWARES', () => {
  it('keeps the newest builds of a model, row and file, and never drops the new one', async () => {
    const { upload, db, elfs } = await aFirmwareService({ maxFirmwares: 3 });

    const uploaded = [];
    for (const note of ['1', '2', '3', '4', '5']) uploaded.push(await upload(build(note)));

    const kept = uploaded.slice(2);
    expect(await db.firmware.findMany({ orderBy: { id: 'asc' } })).toEqual(kept);
    expect(elfs()).toEqual(kept.map(({ elfSha256 }) => `${elfSha256}.elf`).sort());
  });

  it('counts each model for itself', async () => {
    const { upload, db } = await aFirmwareService({ maxFirmwares: 1 });
    await db.deviceModel.create({ data: { code: 'boiler', name: 'boiler', createdAt: new Date() } });

    await upload(build('1'));
    await upload(build('2'), { modelCode: 'boiler' });

    expect(await db.firmware.count()).toBe(2);
  });

  it('holds under uploads at once', async () => {
    const { upload, db, elfs } = await aFirmwareService({ maxFirmwares: 3 });

    await Promise.all(Array.from({ length: 10 }, (_, index) => upload(build(`${index}`))));

    expect(await db.firmware.count()).toBe(3);
    expect(elfs()).toHaveLength(3);
  });

  it.each([
    [
      'was read with',
      (old: Old) => ({ firmwareVersion: '9.9.9', firmwareId: old.id, parseStatus: 'PARSED' }),
    ],
    [
      'is to be read with, as a person chose,',
      (old: Old) => ({ firmwareVersion: '9.9.9', chosenFirmwareId: old.id }),
    ],
    ['waits for by version', (old: Old) => ({ firmwareVersion: old.version })],
    ['failed with by version', (old: Old) => ({ firmwareVersion: old.version, parseStatus: 'ERROR' })],
    [
      'names by its SHA-256 prefix',
      (old: Old) => ({ firmwareVersion: '9.9.9', appElfSha256: old.elfSha256.slice(0, 9) }),
    ],
  ])('never prunes a build that a kept dump %s', async (_, columnsOf) => {
    const { upload, db, elfs, aDump } = await aFirmwareService({ maxFirmwares: 1 });
    const old = await upload(build('old'));
    await aDump(columnsOf(old));

    const middle = await upload(build('middle'));
    const newest = await upload(build('newest'));

    expect(await db.firmware.findMany({ orderBy: { id: 'asc' } })).toEqual([old, newest]);
    expect(elfs()).not.toContain(`${middle.elfSha256}.elf`);
    expect(elfs()).toHaveLength(2);
  });

  it('prunes a build that kept dumps only resemble', async () => {
    const { upload, db, aDump } = await aFirmwareService({ maxFirmwares: 2 });
    const old = await upload(build('old', '1.0.0'));
    const other = await upload(build('other', '1.0.0'));
    // Same version, but known to have run the other build.
    await aDump({ firmwareVersion: '1.0.0', firmwareId: other.id, parseStatus: 'PARSED' });
    await aDump({ firmwareVersion: '9.9.9', appElfSha256: flipped(old.elfSha256.slice(0, 9)) });

    const newest = await upload(build('newest'));

    expect(await db.firmware.findMany({ orderBy: { id: 'asc' } })).toEqual([other, newest]);
  });

  it('prunes the build later, once the dump is gone', async () => {
    const { upload, db, aDump } = await aFirmwareService({ maxFirmwares: 1 });
    const old = await upload(build('old'));
    const dump = await aDump({ firmwareVersion: old.version });
    await upload(build('middle'));
    await db.coredump.delete({ where: { id: dump.id } });

    const newest = await upload(build('newest'));

    expect(await db.firmware.findMany()).toEqual([newest]);
  });
});

type Old = { id: number; version: string; elfSha256: string };

function flipped(hex: string): string {
  return `${hex.slice(0, -1)}${hex.endsWith('0') ? '1' : '0'}`;
}
