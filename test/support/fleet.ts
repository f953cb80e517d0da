import { encodeGlobalId } from '../../src/global-ids.js';
import type { Db } from '../../src/platform/database/types.js';

/** Rows as the services would leave them, put there directly: for tests that ask many questions of many rows. */
export function aFleet(db: Db) {
  let serial = 0;
  const at = new Date('2026-02-11T14:30:00.000Z');

  return {
    async aModel({ code = `model_${++serial}`, name = 'Model' } = {}) {
      const row = await db.deviceModel.create({ data: { code, name, createdAt: at } });
      return { ...row, globalId: encodeGlobalId('DeviceModel', row.id) };
    },

    async aDevice(
      model: { id: number },
      { key = `dev${++serial}`, name = null }: { key?: string; name?: string | null } = {},
    ) {
      const row = await db.device.create({
        data: { key, name, modelId: model.id, tokenSha256: key, createdAt: at, updatedAt: at },
      });
      return { ...row, globalId: encodeGlobalId('Device', row.id) };
    },

    async aFirmware(
      model: { id: number },
      {
        version = '1.0.0',
        chip = 'esp32c3',
        uploadedAt = at,
        elfSha256 = (++serial).toString(16).padStart(64, '0'),
      } = {},
    ) {
      const row = await db.firmware.create({
        data: { modelId: model.id, version, elfSha256, size: 1000, chip, uploadedAt },
      });
      return { ...row, globalId: encodeGlobalId('Firmware', row.id) };
    },

    async aDump(
      device: { id: number },
      {
        output,
        report,
        ...columns
      }: {
        output?: string;
        report?: object;
        filename?: string;
        chip?: string;
        firmwareVersion?: string;
        crashVersion?: string;
        parseStatus?: 'PENDING' | 'PARSED' | 'ERROR';
        uploadedAt?: Date;
        firmwareId?: number;
        fingerprint?: string;
        crashKind?: string;
        crashedTask?: string;
        reason?: string;
        parsedAt?: Date;
      } = {},
    ) {
      const row = await db.coredump.create({
        data: {
          deviceId: device.id,
          filename: `coredump_${++serial}.dmp`,
          chip: 'esp32c3',
          firmwareVersion: '1.0.0',
          size: 64,
          sha256: serial.toString(16).padStart(64, '0'),
          uploadedAt: at,
          parseStatus: 'PENDING',
          crashVersion: columns.firmwareVersion ?? '1.0.0',
          ...columns,
          ...(output === undefined
            ? {}
            : { text: { create: { output, report: report === undefined ? null : JSON.stringify(report) } } }),
        },
      });
      return { ...row, globalId: encodeGlobalId('Coredump', row.id) };
    },
  };
}
