import type { DeviceIdentity, IngestKeyIdentity } from '../auth/principal.js';
import { sha256 } from '../auth/static-tokens.js';
import type { Clock } from '../platform/clock.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import type { TokenUse } from './token-use.js';
import { tokenStateOf } from './tokens.js';

/** Who sends an upload? These run with every one, so each reads all that it needs in one statement. */
export function createDeviceIdentities({ db, clock, tokenUse }: IdentitiesDeps) {
  return {
    async findByKey(key: string): Promise<DeviceIdentity | null> {
      return identify(Prisma.sql`d."key" = ${key}`);
    },

    /** The token is looked up by its hash, so the duration of the comparison reveals nothing. */
    async findByToken(token: string): Promise<DeviceIdentity | null> {
      const hash = sha256(token);
      const device =
        (await identify(Prisma.sql`d."tokenSha256" = ${hash}`)) ?? (await identifyByPreviousToken(hash));
      if (device !== null) tokenUse.note(device.id);
      return device;
    },

    findByIngestKey: (key: string, serial: string | null) =>
      byIngestKey(Prisma.sql`k."keySha256" = ${sha256(key)}`, serial),

    /** For devices that cannot send a key: the newest key of the model with this name stands for them. */
    findByIngestKeyName: (modelCode: string, name: string, serial: string) =>
      byIngestKey(
        Prisma.sql`k."id" = (SELECT max(y."id") FROM "IngestKey" y JOIN "DeviceModel" n ON n."id" = y."modelId"
          WHERE n."code" = ${modelCode} AND y."name" = ${name} AND y."revokedAt" IS NULL)`,
        serial,
      ),

    async findBySerial(modelCode: string, serial: string) {
      const [row] = await db.lookup<{ id: number; modelCode: string } & Prefixed>(Prisma.sql`
        SELECT m."id", m."code" AS "modelCode", ${DEVICE_COLUMNS}
        FROM "DeviceModel" m LEFT JOIN "Device" d ON d."modelId" = m."id" AND d."serial" = ${serial}
        LEFT JOIN "DeviceModel" o ON o."id" = d."modelId" WHERE m."code" = ${modelCode}`);
      if (row === undefined) return null;
      return { modelId: row.id, modelCode: row.modelCode, serial, device: deviceOf(row) };
    },
  };

  /** The device of the key's model with the serial, or the one that the key registered and a person moved since. */
  async function byIngestKey(condition: Prisma.Sql, serial: string | null) {
    const [row] = await db.lookup<KeyRow & Prefixed>(Prisma.sql`
        SELECT k."id", k."name", k."hint", k."modelId", m."code" AS "modelCode", k."newDevicesPerHour",
          k."hourStartedAt", k."newDevicesInHour", k."revokedAt" IS NOT NULL AS "isRevoked", ${DEVICE_COLUMNS}
        FROM "IngestKey" k JOIN "DeviceModel" m ON m."id" = k."modelId"
        LEFT JOIN "Device" d ON d."id" = COALESCE(
          (SELECT x."id" FROM "Device" x WHERE x."modelId" = k."modelId" AND x."serial" = ${serial ?? ''}),
          (SELECT min(x."id") FROM "Device" x WHERE x."ingestKeyId" = k."id" AND x."serial" = ${serial ?? ''}))
        LEFT JOIN "DeviceModel" o ON o."id" = d."modelId"
        WHERE ${condition}`);
    if (row === undefined) return null;
    // SQLite has no booleans.
    const isRevoked = Boolean(row.isRevoked);
    if (!isRevoked) tokenUse.noteIngestKey(row.id);
    const { id, name, hint, modelId, modelCode, newDevicesPerHour, hourStartedAt, newDevicesInHour } = row;
    const limits = { newDevicesPerHour, hourStartedAt, newDevicesInHour };
    return { ingestKey: { id, name, hint, modelId, modelCode, ...limits }, isRevoked, device: deviceOf(row) };
  }

  async function identify(condition: Prisma.Sql): Promise<DeviceIdentity | null> {
    const [row] = await db.lookup<Prefixed>(Prisma.sql`
      SELECT ${DEVICE_COLUMNS} FROM "Device" d JOIN "DeviceModel" o ON o."id" = d."modelId" WHERE ${condition}`);
    return row === undefined ? null : deviceOf(row);
  }

  async function identifyByPreviousToken(previousTokenSha256: string): Promise<DeviceIdentity | null> {
    const device = await db.device.findFirst({
      where: { previousTokenSha256, previousTokenUntil: { gt: clock.now() } },
      select: { id: true },
    });
    return device === null ? null : identify(Prisma.sql`d."id" = ${device.id}`);
  }
}

interface IdentitiesDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  tokenUse: Pick<TokenUse, 'note' | 'noteIngestKey'>;
}

type KeyRow = IngestKeyIdentity & { isRevoked: boolean | number };

/** "d" is the device, "o" its model, which a person may have changed. */
const DEVICE_COLUMNS = Prisma.sql`d."id" AS "deviceId", d."key" AS "deviceKey", d."serial" AS "deviceSerial",
  d."approval" AS "deviceApproval", d."tokenSha256" AS "deviceToken", d."modelId" AS "ofModelId", o."code" AS "ofModelCode"`;

/** All null where no device was found. */
interface Prefixed {
  deviceId: number | null;
  deviceKey: string;
  deviceSerial: string | null;
  deviceApproval: string;
  deviceToken: string;
  ofModelId: number;
  ofModelCode: string;
}

function deviceOf(row: Prefixed): DeviceIdentity | null {
  if (row.deviceId === null) return null;
  return {
    id: row.deviceId,
    key: row.deviceKey,
    serial: row.deviceSerial,
    approval: row.deviceApproval,
    tokenState: tokenStateOf(row.deviceToken),
    modelId: row.ofModelId,
    modelCode: row.ofModelCode,
  };
}
