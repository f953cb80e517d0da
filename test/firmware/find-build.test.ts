import { describe, expect, it } from 'vitest';
import { aFirmwareElf } from '../support/firmware.js';
import { aFirmwareService } from '../support/firmware-service.js';

describe('finding the build of a dump', () => {
  it('goes by the SHA-256 prefix of any length, before the version', async () => {
    const { upload, service, model } = await aFirmwareService();
    const old = await upload(aFirmwareElf({ version: '1.0.0' }));
    await upload(aFirmwareElf({ version: '2.0.0' }));

    for (const length of [9, 16, 64]) {
      const found = await service.findBuild({
        modelId: model.id,
        version: '2.0.0',
        appElfSha256: old.elfSha256.slice(0, length),
        chosenFirmwareId: null,
      });

      expect(found).toEqual({ firmware: old, candidates: [old], matchedBy: 'sha' });
    }
  });

  it('lists all that fit a short prefix, and prefers the version, then the newest', async () => {
    const { db, service, model } = await aFirmwareService();
    const [one, two, three] = await db.firmware.createManyAndReturn({
      data: ['1.0.0', '1.0.0', '2.0.0'].map((version, index) => ({
        modelId: model.id,
        version,
        elfSha256: `abc${index}`.padEnd(64, '0'),
        size: 1,
        uploadedAt: new Date(),
      })),
    });
    const find = (version: string) =>
      service.findBuild({ modelId: model.id, version, appElfSha256: 'abc', chosenFirmwareId: null });

    expect(await find('1.0.0')).toEqual({ firmware: two, candidates: [three, two, one], matchedBy: 'sha' });
    expect(await find('9.9.9')).toMatchObject({ firmware: three, matchedBy: 'sha' });
  });

  it('falls back to the newest build of the version', async () => {
    const { upload, service, model } = await aFirmwareService();
    const older = await upload(aFirmwareElf({ note: 'older' }));
    const newer = await upload(aFirmwareElf({ note: 'newer' }));

    for (const appElfSha256 of [null, '0123456789', '', '%', '_', 'ABC%']) {
      const found = await service.findBuild({
        modelId: model.id,
        version: '1.0.0',
        appElfSha256,
        chosenFirmwareId: null,
      });

      expect(found).toEqual({ firmware: newer, candidates: [newer, older], matchedBy: 'version' });
    }
  });

  it('is the one that a person chose, whatever the dump names, if it is of the model', async () => {
    const { upload, db, service, model } = await aFirmwareService();
    const chosen = await upload(aFirmwareElf({ version: '1.0.0' }));
    const named = await upload(aFirmwareElf({ version: '2.0.0' }));
    const other = await db.deviceModel.create({
      data: { code: 'boiler', name: 'boiler', createdAt: new Date() },
    });
    const wanted = { version: '2.0.0', appElfSha256: named.elfSha256, chosenFirmwareId: chosen.id };

    const found = await service.findBuild({ modelId: model.id, ...wanted });
    const ofOther = await service.findBuild({ modelId: other.id, ...wanted });
    await service.delete(chosen.id);
    const without = await service.findBuild({ modelId: model.id, ...wanted });

    expect(found).toEqual({ firmware: chosen, candidates: [chosen], matchedBy: 'choice' });
    expect(ofOther.firmware).toBeNull();
    expect(without).toEqual({ firmware: named, candidates: [named], matchedBy: 'sha' });
  });

  it('is never one for another chip, whoever asks for it; one of an unknown chip may be', async () => {
    const { db, service, model } = await aFirmwareService();
    const [own, unknown, other] = await db.firmware.createManyAndReturn({
      data: ['esp32s3', null, 'esp32'].map((chip, index) => ({
        ...{ modelId: model.id, version: '1.0.0', chip, size: 1, uploadedAt: new Date() },
        elfSha256: `abc${index}`.padEnd(64, '0'),
      })),
    });
    const find = (
      chip: string | null,
      more: { chosenFirmwareId?: number | null; appElfSha256?: string } = {},
    ) =>
      service.findBuild({
        ...{ modelId: model.id, version: '1.0.0', chip, appElfSha256: null, chosenFirmwareId: null },
        ...more,
      });

    expect(await find('esp32s3')).toMatchObject({
      firmware: own,
      candidates: [own, unknown],
      ofOtherChips: [other],
    });
    expect(await find('esp32c3')).toMatchObject({ firmware: unknown, candidates: [unknown] });
    expect(await find(null)).toMatchObject({ firmware: other, candidates: [other, unknown, own] });
    expect(await find('esp32s3', { chosenFirmwareId: other?.id ?? 0 })).toMatchObject({
      firmware: own,
      matchedBy: 'version',
    });
    // The hash is more certain than the chip that was concluded from the ELF.
    expect(await find('esp32s3', { appElfSha256: 'abc2' })).toMatchObject({
      firmware: other,
      matchedBy: 'sha',
    });
    await service.delete(unknown?.id ?? 0);
    expect(await find('esp32c3')).toMatchObject({
      firmware: null,
      matchedBy: null,
      ofOtherChips: [other, own],
    });
  });

  it('takes zeros for no hash', async () => {
    const { db, service, model } = await aFirmwareService();
    const columns = { modelId: model.id, size: 1, uploadedAt: new Date() };
    await db.firmware.create({ data: { ...columns, version: '9.9.9', elfSha256: '0'.repeat(64) } });
    const named = await db.firmware.create({
      data: { ...columns, version: '1.0.0', elfSha256: 'a'.repeat(64) },
    });

    const found = await service.findBuild({
      ...{ modelId: model.id, version: '1.0.0', appElfSha256: '000000000', chosenFirmwareId: null },
    });

    expect(found).toMatchObject({ firmware: named, matchedBy: 'version' });
  });

  it('finds nothing for other models and versions', async () => {
    const { upload, db, service, model } = await aFirmwareService();
    const firmware = await upload(aFirmwareElf());
    const other = await db.deviceModel.create({
      data: { code: 'boiler', name: 'boiler', createdAt: new Date() },
    });
    const nothing = { firmware: null, candidates: [], matchedBy: null };

    const ofOther = {
      modelId: other.id,
      version: '1.0.0',
      appElfSha256: firmware.elfSha256,
      chosenFirmwareId: null,
    };
    expect(await service.findBuild(ofOther)).toEqual(nothing);
    const ofNone = { modelId: model.id, version: '1.0', appElfSha256: null, chosenFirmwareId: null };
    expect(await service.findBuild(ofNone)).toEqual(nothing);
  });
});
