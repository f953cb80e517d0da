import { readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { createAudit } from '../../src/audit/service.js';
import { createFirmwareService } from '../../src/firmware/service.js';
import type { Firmware } from '../../src/firmware/types.js';
import { createFileBlobs } from '../../src/platform/blobs/files/file-blobs.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { createLogger } from '../../src/platform/logger.js';
import { createMetrics } from '../../src/platform/metrics.js';
import { aMigratedDatabaseUrl } from './database.js';

const MODEL = 'thermostat';

/** The firmware service on a real database and real files, gone when the test is, with one model in it. */
export async function aFirmwareService({ maxFirmwares = 20, maxFirmwareBytes = 1024 * 1024 } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-firmware-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const database = await openDatabase(await aMigratedDatabaseUrl(dir));
  onTestFinished(database.close);
  const { db } = database;
  const root = join(dir, 'firmware');
  const blobs = createFileBlobs({ root });
  const clock = createSystemClock();
  const model = await db.deviceModel.create({ data: { code: MODEL, name: MODEL, createdAt: clock.now() } });
  const arrived: Firmware[] = [];
  const service = createFirmwareService({
    database,
    blobs,
    clock,
    audit: createAudit({ db, clock, metrics: createMetrics(), log: createLogger({ logLevel: 'silent' }) }),
    log: createLogger({ logLevel: 'silent' }),
    config: { maxFirmwares, maxFirmwareBytes },
    onArrival: async (firmware) => {
      arrived.push(firmware);
    },
  });

  return {
    service,
    db,
    blobs,
    model,
    /** What `onArrival` was called with. */
    arrived,

    upload(
      bytes: Uint8Array | Readable,
      {
        modelCode = MODEL,
        version,
        revision,
        allowVersionMismatch,
        isTruncated = false,
      }: {
        modelCode?: string;
        version?: string;
        revision?: string;
        allowVersionMismatch?: boolean;
        isTruncated?: boolean;
      } = {},
    ): Promise<Firmware> {
      const stream = bytes instanceof Readable ? bytes : Readable.from(pieces(bytes), { objectMode: false });
      const bundle = { filename: 'bundle', stream, truncated: () => isTruncated };
      return service.upload({ modelCode, version, revision, allowVersionMismatch, bundle });
    },

    /** Names of the stored ELFs, without the temporary ones. */
    elfs: () => (readdirSync(root).includes(MODEL) ? readdirSync(join(root, MODEL)).sort() : []),

    /** Files that are on their way in: none once an upload has ended, whatever way. */
    unfinished: () => (readdirSync(root).includes('.incoming') ? readdirSync(join(root, '.incoming')) : []),

    loseElf: ({ elfSha256 }: Firmware) => rmSync(join(root, MODEL, `${elfSha256}.elf`)),

    /** A dump of a device of the model, as its row stands after whatever happened to it. */
    async aDump(columns: {
      firmwareVersion: string;
      firmwareId?: number;
      appElfSha256?: string;
      chosenFirmwareId?: number;
      parseStatus?: string;
    }) {
      const at = clock.now();
      const key = `dev${clock.uniqueMicros()}`;
      const device = await db.device.create({
        data: { key, modelId: model.id, tokenSha256: key, createdAt: at, updatedAt: at },
      });
      return db.coredump.create({
        data: {
          deviceId: device.id,
          filename: `${key}.dmp`,
          chip: 'esp32c3',
          size: 1,
          sha256: key,
          uploadedAt: at,
          parseStatus: 'PENDING',
          ...columns,
        },
      });
    },
  };
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
