import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { orphansOf } from '../platform/blob-store-promises.js';
import { aFirmwareElf, withoutDescriptor } from '../support/firmware.js';
import { aFirmwareService } from '../support/firmware-service.js';
import { aZip } from '../support/hostile-zip.js';

describe('uploading a build', () => {
  it('stores a bare ELF under its SHA-256, whatever the file is called', async () => {
    const { upload, elfs, unfinished, arrived } = await aFirmwareService();
    const elf = aFirmwareElf({ version: '1.2.3' });

    const firmware = await upload(elf);

    expect(firmware).toMatchObject({ version: '1.2.3', elfSha256: sha256(elf), size: elf.length });
    expect(elfs()).toEqual([`${sha256(elf)}.elf`]);
    expect(unfinished()).toEqual([]);
    expect(arrived).toEqual([firmware]);
  });

  it.each(['thermostat.elf', 'build/thermostat.elf', './out/release/thermostat.elf'])(
    'finds %s in a ZIP archive, among other files',
    async (name) => {
      const { upload, elfs, unfinished } = await aFirmwareService();
      const elf = aFirmwareElf();
      const zip = aZip([
        { name: 'README.txt', content: 'hello' },
        { name: 'build/', mode: 0o040755, method: 0 },
        { name: 'bootloader/bootloader.elf', content: aFirmwareElf({ note: 'bootloader' }) },
        { name, content: elf },
      ]);

      const firmware = await upload(zip);

      expect(firmware).toMatchObject({ elfSha256: sha256(elf), size: elf.length });
      expect(elfs()).toEqual([`${sha256(elf)}.elf`]);
      expect(unfinished()).toEqual([]);
    },
  );

  it('keeps several builds of a version, told apart by their ELFs', async () => {
    const { upload, elfs } = await aFirmwareService();

    const first = await upload(aFirmwareElf({ note: 'first' }));
    const second = await upload(aFirmwareElf({ note: 'second' }));

    expect(second.version).toBe(first.version);
    expect(second.id).not.toBe(first.id);
    expect(elfs()).toHaveLength(2);
  });

  it('changes nothing when the same ELF comes again, bare or packed', async () => {
    const { upload, elfs, unfinished, arrived } = await aFirmwareService();
    const elf = aFirmwareElf();
    const first = await upload(elf);

    const again = await upload(aZip([{ name: 'thermostat.elf', content: elf }]));

    expect(again).toEqual(first);
    expect(elfs()).toHaveLength(1);
    expect(unfinished()).toEqual([]);
    expect(arrived).toEqual([first]);
  });

  it('keeps the commit that it is told first, and learns one that nobody told', async () => {
    const { upload } = await aFirmwareService();
    const elf = aFirmwareElf();

    expect((await upload(elf)).revision).toBeNull();
    expect((await upload(elf, { revision: '4d3c2b1a' })).revision).toBe('4d3c2b1a');
    // The same ELF may be built from several commits.
    expect((await upload(elf, { revision: 'v1.0.0-3-g1234567' })).revision).toBe('4d3c2b1a');
    expect((await upload(elf)).revision).toBe('4d3c2b1a');
    await expect(upload(elf, { revision: '../main' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'revision',
    });
  });

  it('makes one row and one file of twenty identical uploads at once', async () => {
    const { upload, db, elfs, unfinished, arrived } = await aFirmwareService();
    const elf = aFirmwareElf();

    const rows = await Promise.all(Array.from({ length: 20 }, () => upload(elf)));

    expect(new Set(rows.map(({ id }) => id)).size).toBe(1);
    expect(await db.firmware.count()).toBe(1);
    expect(elfs()).toHaveLength(1);
    expect(unfinished()).toEqual([]);
    expect(arrived).toHaveLength(1);
  });

  it('refuses the same ELF under another version, and names the one that is there', async () => {
    const { upload, db, elfs } = await aFirmwareService();
    const elf = withoutDescriptor(aFirmwareElf());
    await upload(elf, { version: '1.0.0' });

    await expect(upload(elf, { version: '2.0.0' })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('"1.0.0"'),
    });

    expect(await db.firmware.count()).toBe(1);
    expect(elfs()).toHaveLength(1);
  });

  it('takes the same ELF for two models', async () => {
    const { upload, db } = await aFirmwareService();
    await db.deviceModel.create({ data: { code: 'boiler', name: 'boiler', createdAt: new Date() } });

    const one = await upload(aFirmwareElf());
    const other = await upload(aFirmwareElf(), { modelCode: 'boiler' });

    expect(other.id).not.toBe(one.id);
    expect(other.modelId).not.toBe(one.modelId);
  });

  it('mends a build whose ELF was lost, and tells that it is there again', async () => {
    const { upload, loseElf, elfs, arrived } = await aFirmwareService();
    const elf = aFirmwareElf();
    const first = await upload(elf);
    loseElf(first);

    expect(await upload(elf)).toEqual(first);

    expect(elfs()).toEqual([`${first.elfSha256}.elf`]);
    expect(arrived).toEqual([first, first]);
  });

  it('refuses a model that does not exist, and reads the rest of the request all the same', async () => {
    const { upload } = await aFirmwareService();
    const stream = Readable.from([aFirmwareElf()], { objectMode: false });
    const isRead = new Promise((resolve) => stream.once('end', resolve));

    await expect(upload(stream, { modelCode: 'kettle' })).rejects.toMatchObject({ code: 'NOT_FOUND' });

    await isRead;
  });

  it('takes a bundle of exactly the limit, and refuses one byte more', async () => {
    const elf = aFirmwareElf();
    const exact = await aFirmwareService({ maxFirmwareBytes: elf.length });
    const short = await aFirmwareService({ maxFirmwareBytes: elf.length - 1 });

    await expect(exact.upload(elf)).resolves.toMatchObject({ size: elf.length });
    await expect(short.upload(elf)).rejects.toMatchObject({ code: 'TOO_LARGE' });

    expect(short.elfs()).toEqual([]);
    expect(short.unfinished()).toEqual([]);
  });

  it('refuses a bundle that the endpoint has cut silently', async () => {
    const { upload, unfinished } = await aFirmwareService();

    await expect(upload(aFirmwareElf(), { isTruncated: true })).rejects.toMatchObject({ code: 'TOO_LARGE' });

    expect(unfinished()).toEqual([]);
  });

  it('keeps nothing of an upload that breaks off, and throws what the stream threw', async () => {
    const { upload, unfinished } = await aFirmwareService();
    const failure = new Error('connection lost');
    const stream = new Readable({
      read() {
        this.push(aFirmwareElf().subarray(0, 100));
        this.destroy(failure);
      },
    });

    await expect(upload(stream)).rejects.toBe(failure);

    expect(unfinished()).toEqual([]);
  });

  it('removes the file again when the row cannot be written', async () => {
    const { upload, db, elfs, unfinished } = await aFirmwareService();
    const kept = await upload(aFirmwareElf({ note: 'kept' }));
    await db.$executeRaw`CREATE UNIQUE INDEX "room_for_one" ON "Firmware"("modelId")`;

    await expect(upload(aFirmwareElf({ note: 'no room' }))).rejects.toThrow();

    expect(elfs()).toEqual([`${kept.elfSha256}.elf`]);
    expect(unfinished()).toEqual([]);
  });
});

describe('deleting a build', () => {
  it('takes row and file; dumps stay, without it', async () => {
    const { upload, service, db, elfs, aDump } = await aFirmwareService();
    const firmware = await upload(aFirmwareElf());
    const dump = await aDump({ firmwareVersion: '1.0.0', firmwareId: firmware.id, parseStatus: 'PARSED' });

    await service.delete(firmware.id);

    expect(await db.firmware.count()).toBe(0);
    expect(elfs()).toEqual([]);
    expect(await db.coredump.findUnique({ where: { id: dump.id } })).toEqual({ ...dump, firmwareId: null });
  });

  it('answers NOT_FOUND for what is not there', async () => {
    const { service } = await aFirmwareService();

    await expect(service.delete(7)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('never leaves a row without its file, whatever uploads of the same build come between', async () => {
    const { upload, service, db, elfs } = await aFirmwareService();
    const elf = aFirmwareElf();
    const first = await upload(elf);

    await Promise.all([upload(elf), service.delete(first.id), upload(elf), upload(elf)]);

    expect(elfs()).toHaveLength(await db.firmware.count());
    // Whether the deletion came last or not: the next upload finds a sound state.
    await upload(elf);
    expect(await db.firmware.count()).toBe(1);
    expect(elfs()).toHaveLength(1);
  });
});

describe('the sweep at start', () => {
  it('sets aside ELFs without a row, and keeps the others', async () => {
    const { upload, service, db, elfs, blobs } = await aFirmwareService();
    const kept = await upload(aFirmwareElf({ note: 'kept' }));
    const lost = await upload(aFirmwareElf({ note: 'lost' }));
    await db.firmware.delete({ where: { id: lost.id } });

    await service.sweep();

    expect(elfs()).toEqual([`${kept.elfSha256}.elf`]);
    expect(await orphansOf(blobs)).toHaveLength(1);
  });

  it('keeps rows whose ELF is missing: an upload mends them', async () => {
    const { upload, service, db, loseElf } = await aFirmwareService();
    loseElf(await upload(aFirmwareElf()));

    await service.sweep();

    expect(await db.firmware.count()).toBe(1);
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
