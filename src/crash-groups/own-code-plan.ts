import { reportIn } from '../coredumps/report-schema.js';
import { applyOwnCode, type OwnCodeRule } from '../crashdump/index.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { describeCrash } from './describe-crash.js';

/** The place of a stored crash with its present rules, and with others. */
export interface Replaced {
  coredumpId: number;
  signatureId: number;
  groupId: number;
  /** Fingerprints. */
  from: string;
  to: string;
  titleBefore: string;
  titleAfter: string;
}

/** What becomes of a signature whose crashes have other places by changed rules. */
export interface Fate {
  /** Crashes stay: of places that the rules do not change, or of another model. */
  stays: boolean;
  /** The new fingerprint of most of its stored crashes. */
  successor: string | null;
}

/** @param replaced stored crashes of one signature. @param isShared it also has crashes of other models */
export function fateOf(replaced: readonly Pick<Replaced, 'from' | 'to'>[], isShared: boolean): Fate {
  const counts = new Map<string, number>();
  for (const { to } of replaced) counts.set(to, (counts.get(to) ?? 0) + 1);
  const [successor] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return {
    stays: isShared || replaced.some(({ from, to }) => from === to),
    successor: successor?.[0] ?? null,
  };
}

/** What becomes of the crashes of a group that have another place then. */
export interface PlannedChange {
  /** RENAMED: the group goes on at its new place. JOINED: they join another group. SPLIT: they form a new group. */
  kind: 'RENAMED' | 'JOINED' | 'SPLIT';
  groupId: number;
  /** JOINED: that group. */
  intoGroupId: number | null;
  /** Crashes, of those looked at. */
  count: number;
  titleBefore: string;
  titleAfter: string;
  /** One of them. */
  coredumpId: number;
}

/**
 * What a change of rules does to groups, the most crashes first.
 * @param groupOf the group of each known fingerprint
 * @param shared signatures that have crashes of other models
 */
export function planChanges(
  replaced: readonly Replaced[],
  groupOf: ReadonlyMap<string, number>,
  shared: ReadonlySet<number>,
): PlannedChange[] {
  const groups = new Map(groupOf);
  const bySignature = grouped(replaced, ({ signatureId }) => signatureId);
  const changes: PlannedChange[] = [];
  for (const [signatureId, ofSignature] of [...bySignature].sort(([, a], [, b]) => b.length - a.length)) {
    const fate = fateOf(ofSignature, shared.has(signatureId));
    const moving = grouped(
      ofSignature.filter(({ from, to }) => from !== to),
      ({ to }) => to,
    );
    for (const [to, crashes] of [...moving].sort(([, a], [, b]) => b.length - a.length)) {
      const [example] = crashes;
      const known = groups.get(to);
      // A group may have several fingerprints: its crash stays in it.
      if (example === undefined || known === example.groupId) continue;
      const isSuccessor = !fate.stays && fate.successor === to;
      const kind = known !== undefined ? 'JOINED' : isSuccessor ? 'RENAMED' : 'SPLIT';
      if (kind === 'RENAMED') groups.set(to, example.groupId);
      const { groupId, coredumpId, titleBefore, titleAfter } = example;
      const intoGroupId = known ?? null;
      changes.push({
        kind,
        groupId,
        intoGroupId,
        count: crashes.length,
        titleBefore,
        titleAfter,
        coredumpId,
      });
    }
  }
  return changes.sort((a, b) => b.count - a.count || a.groupId - b.groupId);
}

function grouped<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [item]);
    else known.push(item);
  }
  return groups;
}

/** Reports that one statement reads. */
const CHUNK = 20;

/**
 * The places of stored crashes with other rules, one by one: others run in between.
 * @param mayContinue asked before each crash
 */
export async function replace(
  db: Db,
  crashes: readonly StoredCrash[],
  rules: readonly OwnCodeRule[],
  mayContinue: () => boolean,
): Promise<Replaced[]> {
  const replaced: Replaced[] = [];
  for (let from = 0; from < crashes.length; from += CHUNK) {
    const chunk = crashes.slice(from, from + CHUNK);
    const texts = await db.coredumpText.findMany({
      where: { coredumpId: { in: chunk.map(({ coredumpId }) => coredumpId) } },
      select: { coredumpId: true, report: true },
    });
    const byId = new Map(texts.map((text) => [text.coredumpId, text]));
    for (const crash of chunk) {
      if (!mayContinue()) return replaced;
      const before = reportIn(byId.get(crash.coredumpId) ?? null);
      if (before !== null) {
        const after = applyOwnCode(before, rules);
        const isSame = after.fingerprint === before.fingerprint;
        replaced.push({
          ...crash,
          to: isSame ? crash.from : after.fingerprint,
          titleBefore: describeCrash(before).title,
          titleAfter: describeCrash(after).title,
        });
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return replaced;
}

export type StoredCrash = Pick<Replaced, 'coredumpId' | 'signatureId' | 'groupId' | 'from'>;

/** The newest stored crashes of a model, or of one of its signatures. */
export function storedCrashes(
  db: Db,
  { modelId, signatureId, take }: { modelId: number; signatureId?: number; take: number },
): Promise<StoredCrash[]> {
  const ofSignature =
    signatureId === undefined ? Prisma.sql`1 = 1` : Prisma.sql`o."signatureId" = ${signatureId}`;
  return db.lookup<StoredCrash>(Prisma.sql`
    SELECT c."id" AS "coredumpId", s."id" AS "signatureId", s."groupId", s."fingerprint" AS "from"
    FROM "Coredump" c JOIN "Device" d ON d."id" = c."deviceId"
    JOIN "CrashOccurrence" o ON o."coredumpId" = c."id"
    JOIN "CrashSignature" s ON s."id" = o."signatureId"
    WHERE d."modelId" = ${modelId} AND c."fingerprint" = s."fingerprint" AND ${ofSignature}
    ORDER BY c."id" DESC LIMIT ${take}`);
}

/** Those of these signatures that have crashes of other models. */
export async function sharedSignatures(
  db: Db,
  modelId: number,
  signatureIds: readonly number[],
): Promise<Set<number>> {
  const rows = await db.crashVariant.findMany({
    where: { signatureId: { in: [...signatureIds] }, modelId: { not: modelId } },
    select: { signatureId: true },
    distinct: ['signatureId'],
  });
  return new Set(rows.map(({ signatureId }) => signatureId));
}
