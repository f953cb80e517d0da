import { badInput, conflict, type DomainError, notFound } from '../errors.js';
import { Prisma } from '../platform/database/client.js';
import { StaleRead } from '../platform/database/errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import { type ActivityActor, currentPerson, noteActivities, noteActivity } from './activity.js';
import { copySpikes, moveRules } from './followers.js';
import { lockGroups, lockSignaturesOf, type SignatureRow } from './locks.js';
import { currentGroupId, followSignatures, keepMerged, mergedGroupOf, setByPeople } from './merged-groups.js';
import { recountGroup } from './recount.js';
import type { CrashGroupRow } from './types.js';

/**
 * Moves every signature of `otherIds` to `intoId` and deletes the empty groups; their ids answer with `intoId`
 * (`merged-groups.ts`). The cost does not depend on the number of dumps, because dumps refer to signatures.
 *
 * @throws DomainError NOT_FOUND; CONFLICT when one of the groups was deleted meanwhile
 */
export async function mergeGroups(
  tx: DbTransaction,
  intoId: number,
  otherIds: readonly number[],
  at: Date,
  by: ActivityActor = currentPerson(),
): Promise<CrashGroupRow> {
  const ids = [intoId, ...otherIds];
  const seen = await tx.crashGroup.findMany({ where: { id: { in: ids } }, select: { id: true } });
  const missing = ids.find((id) => !seen.some((group) => group.id === id));
  if (missing !== undefined) throw await whyGone(tx, missing, missing === intoId ? 'intoId' : 'ids');
  await lockSignaturesOf(tx, otherIds);
  const locked = await lockGroups(tx, ids);
  for (const id of otherIds) if (!locked.has(id)) throw deletedMeanwhile(id);
  const into = locked.get(intoId);
  if (into === undefined) throw deletedMeanwhile(intoId);

  // Including signatures that joined one of the groups before it was locked. A signature remembers the first group that
  // it came from, as long as that one can be given back.
  await tx.$executeRaw`
    UPDATE "CrashSignature" SET "groupId" = ${intoId}, "fromGroupId" = CASE
      WHEN EXISTS (SELECT 1 FROM "MergedGroup" m
        WHERE m."id" = "CrashSignature"."fromGroupId" AND m."intoId" = "CrashSignature"."groupId")
      THEN "fromGroupId" ELSE "groupId" END
    WHERE "groupId" IN (${Prisma.join([...otherIds])})`;
  await moveRules(tx, otherIds, intoId);
  for (const id of otherIds) await copySpikes(tx, id, intoId);
  await keepMerged(
    tx,
    [...locked.values()].filter(({ id }) => id !== intoId),
    intoId,
    at,
  );
  await tx.crashGroup.deleteMany({ where: { id: { in: [...otherIds] } } });
  await noteActivity(
    tx,
    intoId,
    ...otherIds.map((id) => ({ kind: 'MERGED' as const, text: locked.get(id)?.title ?? null, at, ...by })),
  );
  return recountedIgnored(tx, into, at);
}

/**
 * Moves fingerprints of a group out of it: when all of them came from one merged group, that group is there again, with
 * its id and what people set in it; otherwise to a new group.
 *
 * @throws DomainError NOT_FOUND; BAD_USER_INPUT for an unknown fingerprint, or when no fingerprint would remain;
 *   CONFLICT when the group was deleted or a fingerprint moved to another group meanwhile
 */
export async function splitGroup(
  tx: DbTransaction,
  id: number,
  fingerprints: readonly string[],
  at: Date,
): Promise<{ group: CrashGroupRow; from: CrashGroupRow }> {
  const before = await tx.crashGroup.findUnique({
    where: { id },
    select: { title: true, _count: { select: { signatures: true } } },
  });
  if (before === null) throw notFound('crash group', id, { field: 'id' });
  const signatures = await lockSignaturesOf(tx, [id]);
  const locked = (await lockGroups(tx, [id])).get(id);
  if (locked === undefined) throw deletedMeanwhile(id);
  const moving = signatures
    .filter(({ fingerprint }) => fingerprints.includes(fingerprint))
    .sort((a, b) => a.id - b.id);
  const missing = fingerprints.filter((name) => !moving.some(({ fingerprint }) => fingerprint === name));
  const [first] = moving;
  if (first === undefined || missing.length > 0) throw await whyMissing(tx, missing);
  if ((await tx.crashSignature.count({ where: { groupId: id } })) === moving.length) {
    throw before._count.signatures > moving.length
      ? conflict('Meanwhile the other fingerprints of the group were moved out of it. Load the group again.')
      : badInput('A group keeps at least one fingerprint.', { field: 'fingerprints' });
  }

  const back = await mergedGroupOf(tx, id, moving);
  const own = moving.find(({ fromGroupId }) => fromGroupId !== null && fromGroupId === back?.id) ?? first;
  const { firstSeenAt, lastSeenAt } = own;
  const made = await tx.crashGroup.create({
    data: {
      ...descriptionOf(own),
      ...{ firstSeenAt, lastSeenAt, heat: 0, updatedAt: at },
      ...(back === null ? { state: 'OPEN' } : { id: back.id, ...setByPeople(back) }),
    },
    select: { id: true },
  });
  const { count } = await tx.crashSignature.updateMany({
    where: { groupId: id, id: { in: moving.map((signature) => signature.id) } },
    data: { groupId: made.id },
  });
  if (count !== moving.length)
    throw new StaleRead('a fingerprint left its group although the group was locked');
  await followSignatures(tx, id, made.id, back);
  await copySpikes(tx, id, made.id);
  // What described the group may have left it.
  const staying = signatures.filter((signature) => !moving.includes(signature)).sort((a, b) => a.id - b.id);
  const [rest] = staying;
  if (rest !== undefined && !staying.some(({ title }) => title === before.title))
    await tx.crashGroup.update({ where: { id }, data: descriptionOf(rest), select: { id: true } });
  await noteActivities(tx, [
    { groupId: id, kind: 'SPLIT', text: `into ${own.title}`, at },
    { groupId: made.id, kind: 'SPLIT', text: `from ${before.title}`, at },
  ]);
  const from = await recountedIgnored(tx, locked, at);
  return { group: await recounted(tx, made.id, at), from };
}

function descriptionOf({ title, kind, reason, reasonClass, culpritFunction, culpritFile }: SignatureRow) {
  return { title, kind, reason, reasonClass, culpritFunction, culpritFile };
}

async function recounted(tx: DbTransaction, id: number, at: Date): Promise<CrashGroupRow> {
  const group = await recountGroup(tx, id, at);
  if (group === null) throw new StaleRead('a locked group was deleted');
  return group;
}

/** Recounts a group that took in or gave away crashes; it stays ignored for as many further crashes as before. */
async function recountedIgnored(
  tx: DbTransaction,
  { id, count, ignoredUntilCount: until }: Pick<CrashGroupRow, 'id' | 'count' | 'ignoredUntilCount'>,
  at: Date,
): Promise<CrashGroupRow> {
  const group = await recounted(tx, id, at);
  if (until === null) return group;
  const ignoredUntilCount = Math.max(until - count + group.count, 0);
  await tx.crashGroup.updateMany({ where: { id }, data: { ignoredUntilCount } });
  return { ...group, ignoredUntilCount };
}

/** An absent fingerprint is in another group, or does not exist. */
async function whyMissing(tx: DbTransaction, fingerprints: readonly string[]): Promise<DomainError> {
  const elsewhere = await tx.crashSignature.findFirst({
    where: { fingerprint: { in: [...fingerprints] } },
    select: { fingerprint: true, group: { select: { id: true, title: true } } },
  });
  if (elsewhere === null)
    return badInput(`The group has no fingerprint ${fingerprints.map(quoted).join(', ')}.`, {
      field: 'fingerprints',
    });
  const { fingerprint, group } = elsewhere;
  return conflict(
    `The fingerprint ${quoted(fingerprint)} is not in this group but in the crash group "${group.id}", ` +
      `${quoted(group.title)}. Load both groups again.`,
    { field: 'fingerprints' },
  );
}

/** The group may have been merged before: whoever asks has not seen into which other group. */
async function whyGone(tx: DbTransaction, id: number, field: string): Promise<DomainError> {
  const intoId = await currentGroupId(tx, id);
  if (intoId === id) return notFound('crash group', id, { field });
  return conflict(
    `The crash group "${id}" was merged into the crash group "${intoId}" already. Load both groups again.`,
    { field },
  );
}

function deletedMeanwhile(id: number): DomainError {
  return conflict(
    `The crash group "${id}" does not exist any more: it was merged, or its crashes moved to other groups. Load it again.`,
  );
}

function quoted(text: string): string {
  return `"${text}"`;
}
