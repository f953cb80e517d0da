import type { Audit, AuditNote } from '../audit/service.js';
import { type Newcomer, refuseOwnToken, refuseRejected } from '../auth/device-credentials.js';
import type { DeviceIdentity } from '../auth/principal.js';
import { DomainError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { Prisma } from '../platform/database/client.js';
import { asDomainError, StaleRead } from '../platform/database/errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import type { Metrics } from '../platform/metrics.js';
import { createBatcher } from '../platform/queue/batcher.js';
import { randomKey } from './names.js';
import { countNew, hourOf, type LockedKey, overRate, roomFor } from './registration-limits.js';
import { absentToken, tokenStateOf } from './tokens.js';

export type Registration = ReturnType<typeof createRegistration>;

/** A device that asks for its registration, and the request in which it does. */
interface Arrival {
  newcomer: Newcomer;
  from: { address: string; requestId: string };
}

/** `isNew`: this request registered it, and not another one at the same time. */
export interface Registered {
  device: DeviceIdentity;
  isNew: boolean;
}

type Outcome = ({ status: 'registered' } & Registered) | { status: 'refused'; error: unknown };

/** As for uploads (`coredumps/commit.ts`): a fleet that is switched on arrives at once. */
const MAX_GROUP = 64;
const GATHER_MS = 4;

/**
 * Devices that register themselves. Those that arrive together share a transaction. It locks the ingest key first, so
 * that its limits hold over all servers, and so that two requests of one serial find the same device. Plain SQL where a
 * statement has many rows, as in `coredumps/commit.ts`.
 */
export function createRegistration({ clock, audit, metrics, maxPendingDevices }: RegistrationDeps) {
  const add = createBatcher<Arrival, Outcome>({
    maxItems: MAX_GROUP,
    gatherMs: GATHER_MS,
    run: async (arrivals) => {
      const outcomes = new Map<Arrival, Outcome>();
      for (const group of byCredential(arrivals)) {
        for (const [arrival, outcome] of await registerGroup(group)) outcomes.set(arrival, outcome);
      }
      return arrivals.flatMap((arrival) => outcomes.get(arrival) ?? []);
    },
  });

  return {
    /** Refuses early what `register` would refuse, without a statement. @throws DomainError RATE_LIMITED */
    assertPossible({ ingestKey }: Newcomer): void {
      if (ingestKey === null) return;
      const hour = hourOf(ingestKey, clock.now());
      if (hour.count < ingestKey.newDevicesPerHour) return;
      metrics.deviceRegistrations.inc({ outcome: 'over_rate' });
      throw overRate(ingestKey, hour, clock.now());
    },

    /**
     * Registers the device, unless another request did it in the meantime.
     * @throws DomainError RATE_LIMITED, UNAUTHENTICATED (the key was revoked), NOT_FOUND (the model was deleted), FORBIDDEN
     *   (the device was rejected, or has a token of its own)
     */
    async register(newcomer: Newcomer, from: Arrival['from']): Promise<Registered> {
      const outcome = await add({ newcomer, from });
      if (outcome.status === 'refused') throw outcome.error;
      refuseRejected(outcome.device);
      if (newcomer.ingestKey !== null) refuseOwnToken(outcome.device);
      return outcome;
    },
  };

  /** @param arrivals of one ingest key, or of one model while authentication is off */
  async function registerGroup(arrivals: readonly Arrival[]): Promise<ReadonlyArray<[Arrival, Outcome]>> {
    try {
      const ended = await audit.change(async (tx, note) => {
        const registered = await registerIn(tx, arrivals);
        await note(...registered.notes);
        return registered;
      });
      for (const { outcome, count } of ended.counts) metrics.deviceRegistrations.inc({ outcome }, count);
      return arrivals.map((arrival) => [arrival, ended.outcomeOf(arrival)]);
    } catch (error) {
      // Each device asks again; one that was registered after all is found then.
      return arrivals.map((arrival) => [arrival, { status: 'refused', error: asDomainError(error) }]);
    }
  }

  async function registerIn(tx: DbTransaction, arrivals: readonly Arrival[]) {
    const now = clock.now();
    const { modelId, modelCode, ingestKey: credential } = firstOf(arrivals).newcomer;
    const lock = credential === null ? await lockModel(tx, modelId) : await lockKey(tx, credential.id, now);
    const serials = [...new Set(arrivals.map(({ newcomer }) => newcomer.serial))];
    const known = await findKnown(tx, { modelId, ingestKeyId: lock.ingestKey?.id ?? null, serials });
    const unknown = serials.filter((serial) => !known.has(serial));
    const room = await roomFor(tx, lock.ingestKey, { maxPendingDevices, now });
    const accepted = unknown.slice(0, room.count);
    const approval = lock.ingestKey?.requiresApproval === true ? 'PENDING' : 'APPROVED';
    const made = await insert(tx, {
      serials: accepted,
      columns: { modelId, approval, ingestKeyId: lock.ingestKey?.id ?? null },
      modelCode,
      now,
    });
    if (lock.ingestKey !== null && made.size > 0) await countNew(tx, lock.ingestKey, made.size, now);
    const firsts = new Map(arrivals.toReversed().map((arrival) => [arrival.newcomer.serial, arrival]));

    return {
      notes: [...made.values()].flatMap((device) => {
        const first = firsts.get(device.serial ?? '');
        return first === undefined ? [] : [noteOf(device, first)];
      }),
      counts: [
        { outcome: 'registered' as const, count: made.size },
        { outcome: room.limit, count: unknown.length - accepted.length },
      ],
      outcomeOf(arrival: Arrival): Outcome {
        const { serial } = arrival.newcomer;
        const device = known.get(serial);
        if (device !== undefined) return { status: 'registered', device, isNew: false };
        const own = made.get(serial);
        if (own === undefined) return { status: 'refused', error: room.error() };
        return { status: 'registered', device: own, isNew: firsts.get(serial) === arrival };
      },
    };
  }
}

interface RegistrationDeps {
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
  metrics: Pick<Metrics, 'deviceRegistrations'>;
  /** Devices of one ingest key that wait for approval. */
  maxPendingDevices: number;
}

function byCredential(arrivals: readonly Arrival[]): Arrival[][] {
  const groups = new Map<string, Arrival[]>();
  for (const arrival of arrivals) {
    const { ingestKey, modelId } = arrival.newcomer;
    const name = ingestKey === null ? `model ${modelId}` : `key ${ingestKey.id}`;
    groups.set(name, [...(groups.get(name) ?? []), arrival]);
  }
  return [...groups.values()];
}

function firstOf<T>([first]: readonly T[]): T {
  if (first === undefined) throw new Error('a group has at least one member');
  return first;
}

/** @throws DomainError UNAUTHENTICATED when the key was revoked in the meantime */
async function lockKey(tx: DbTransaction, id: number, now: Date): Promise<{ ingestKey: LockedKey }> {
  const [ingestKey] = await tx.ingestKey.updateManyAndReturn({
    where: { id, revokedAt: null },
    data: { lastUsedAt: now },
  });
  if (ingestKey === undefined)
    throw new DomainError('UNAUTHENTICATED', 'The ingest key is not valid, or was revoked.');
  return { ingestKey };
}

/** @throws DomainError NOT_FOUND when the model was deleted in the meantime */
async function lockModel(tx: DbTransaction, id: number): Promise<{ ingestKey: null }> {
  const locked = await tx.$executeRaw`UPDATE "DeviceModel" SET "code" = "code" WHERE "id" = ${id}`;
  if (locked === 0) throw new DomainError('NOT_FOUND', 'The device model was deleted.');
  return { ingestKey: null };
}

/** As `findByIngestKey` finds them: also a device that the key registered and a person moved to another model. */
async function findKnown(
  tx: DbTransaction,
  {
    modelId,
    ingestKeyId,
    serials,
  }: { modelId: number; ingestKeyId: number | null; serials: readonly string[] },
): Promise<Map<string, DeviceIdentity>> {
  const named = Prisma.join([...serials]);
  const rows = await tx.$queryRaw<Array<DeviceColumns & { modelCode: string }>>`
    SELECT d."id", d."key", d."serial", d."approval", d."modelId", d."tokenSha256", m."code" AS "modelCode"
    FROM "Device" d JOIN "DeviceModel" m ON m."id" = d."modelId"
    WHERE (d."modelId" = ${modelId} AND d."serial" IN (${named}))
      OR (d."ingestKeyId" = ${ingestKeyId ?? 0} AND d."serial" IN (${named})) ORDER BY d."id" DESC`;
  const known = new Map<string, DeviceIdentity>();
  for (const row of rows) {
    if (row.serial === null || known.get(row.serial)?.modelId === modelId) continue;
    known.set(row.serial, identityOf(row, row.modelCode));
  }
  return known;
}

async function insert(
  tx: DbTransaction,
  {
    serials,
    columns,
    modelCode,
    now,
  }: {
    serials: readonly string[];
    columns: { modelId: number; approval: string; ingestKeyId: number | null };
    modelCode: string;
    now: Date;
  },
): Promise<Map<string, DeviceIdentity>> {
  if (serials.length === 0) return new Map();
  const { modelId, approval, ingestKeyId } = columns;
  const values = serials.map(
    (serial) =>
      Prisma.sql`(${modelId}, ${approval}, ${ingestKeyId}, ${serial}, ${randomKey()}, ${absentToken()}, ${now}, ${now}, ${now})`,
  );
  const rows = await tx.$queryRaw<DeviceColumns[]>`
    INSERT INTO "Device" ("modelId", "approval", "ingestKeyId", "serial", "key", "tokenSha256", "createdAt", "updatedAt", "lastSeenAt")
    VALUES ${Prisma.join(values)} ON CONFLICT DO NOTHING
    RETURNING "id", "key", "serial", "approval", "modelId", "tokenSha256"`;
  // A person or another key registered one of them, or a random key is taken: the next attempt sees it.
  if (rows.length < serials.length) throw new StaleRead('a serial or key was taken');
  return new Map(
    rows.flatMap((row) => (row.serial === null ? [] : [[row.serial, identityOf(row, modelCode)]])),
  );
}

type DeviceColumns = Omit<DeviceIdentity, 'tokenState' | 'modelCode'> & { tokenSha256: string };

function identityOf(row: DeviceColumns, modelCode: string): DeviceIdentity {
  const { id, key, serial, approval, modelId, tokenSha256 } = row;
  return { id, key, serial, approval, tokenState: tokenStateOf(tokenSha256), modelId, modelCode };
}

/** The event names the key and the address, so that a leaked key can be traced. */
function noteOf(device: DeviceIdentity, { newcomer, from }: Arrival): AuditNote {
  const { ingestKey, modelCode } = newcomer;
  const waiting = device.approval === 'PENDING' ? ', waits for approval' : '';
  return {
    action: 'registerDevice',
    targetType: 'Device',
    targetId: device.id,
    target: device.key,
    detail: `serial ${device.serial}, model ${modelCode}${waiting}`,
    by:
      ingestKey === null
        ? { role: 'device', actor: 'anybody', via: 'open', ...from }
        : {
            role: 'device',
            actor: `ingest key ${ingestKey.name} (…${ingestKey.hint})`,
            via: 'ingest_key',
            ...from,
          },
  };
}
