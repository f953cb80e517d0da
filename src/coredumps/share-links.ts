import type { Audit, AuditNote } from '../audit/service.js';
import { currentActor } from '../auth/actor.js';
import { newShareToken } from '../auth/share-token.js';
import { sha256 } from '../auth/static-tokens.js';
import { type CrashReport, isOwnFrame, type StackFrame } from '../crashdump/index.js';
import { badInput, conflict, DomainError, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import { createCrashFacts, describeCrash, readOne } from './describe.js';
import type { CrashToDescribe } from './markdown.js';
import { redactReport } from './redact.js';
import type { CoredumpKind } from './types.js';

export type ShareLinkRow = Prisma.ShareLinkGetPayload<object>;
export type ShareLinkService = ReturnType<typeof createShareLinks>;

const HINT_LENGTH = 4;
const DEFAULT_DAYS = 7;
const MAX_DAYS = 90;
/** Links of one crash that work. */
const MAX_LINKS = 20;
/** How exactly it is known when a link was last used: each use would be a write otherwise. */
const USE_EVERY_MS = 60_000;

/** What a person with a share link sees: no id, no address, nothing that leads to another crash. */
export interface SharedCrash {
  title: string;
  model: { code: string; name: string };
  device: { key: string; serial: string | null; name: string | null };
  crashVersion: string;
  reportedVersion: string;
  chip: string;
  /** What the device sent. */
  source: CoredumpKind;
  uploadedAt: Date;
  parseStatus: string;
  /** Redacted as for viewers; null when the dump could not be read. Frames say whether they are own code. */
  report: CrashReport | null;
  markdown: string;
  expiresAt: Date;
}

/** Links that show one crash to people without an account. */
export function createShareLinks({ db, clock, audit }: ShareLinksDeps) {
  return {
    /**
     * @returns the token too, only this once: its hash is stored
     * @throws DomainError BAD_USER_INPUT, NOT_FOUND (dump), CONFLICT (too many links)
     */
    async create({
      coredumpId,
      expiresInDays = DEFAULT_DAYS,
    }: {
      coredumpId: number;
      expiresInDays?: number;
    }): Promise<{ shareLink: ShareLinkRow; token: string }> {
      if (expiresInDays < 1 || expiresInDays > MAX_DAYS) {
        throw badInput(`A share link lasts 1 to ${MAX_DAYS} days.`, { field: 'expiresInDays' });
      }
      const token = newShareToken();
      const now = clock.now();
      const shareLink = await audit.change(async (tx, note) => {
        // A write first: it locks the dump, so that what is counted next stays true, and the dump stays.
        const [dump] = await tx.coredump.updateManyAndReturn({
          where: { id: coredumpId },
          data: { id: coredumpId },
          select: { id: true, filename: true, deviceId: true },
        });
        if (dump === undefined) throw notFound('core dump', coredumpId, { field: 'coredumpId' });
        const working = { coredumpId, revokedAt: null, expiresAt: { gt: now } };
        if ((await tx.shareLink.count({ where: working })) >= MAX_LINKS) {
          throw conflict(`The crash has ${MAX_LINKS} share links that work: revoke some of them first.`, {
            field: 'coredumpId',
          });
        }
        const row = await tx.shareLink.create({
          data: {
            coredumpId,
            tokenSha256: sha256(token),
            hint: token.slice(-HINT_LENGTH),
            createdBy: currentActor()?.person.name ?? 'coredock',
            createdAt: now,
            expiresAt: new Date(now.getTime() + expiresInDays * DAY_MS),
          },
        });
        const lasts = expiresInDays === 1 ? '1 day' : `${expiresInDays} days`;
        await note({ ...onDump('createShareLink', dump), detail: `for ${lasts} (…${row.hint})` });
        return row;
      });
      return { shareLink, token };
    },

    /** From now on it shows nothing. @throws DomainError NOT_FOUND */
    async revoke(id: number): Promise<ShareLinkRow> {
      return audit.change(async (tx, note) => {
        await tx.shareLink.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: clock.now() } });
        const found = await tx.shareLink.findUnique({
          where: { id },
          include: { coredump: { select: { id: true, filename: true } } },
        });
        if (found === null) throw notFound('share link', id, { field: 'id' });
        const { coredump, ...row } = found;
        await note({ ...onDump('revokeShareLink', coredump), detail: `…${row.hint}` });
        return row;
      });
    },

    /**
     * The crash that the token shows.
     *
     * @throws DomainError NOT_FOUND (no such link, or its crash was deleted), GONE (expired or revoked)
     */
    async open(token: string | null): Promise<SharedCrash> {
      const link =
        token === null ? null : await db.shareLink.findUnique({ where: { tokenSha256: sha256(token) } });
      if (link === null) {
        throw new DomainError(
          'NOT_FOUND',
          'This link shows no crash. It was not copied as a whole, or the crash was deleted.',
        );
      }
      const now = clock.now();
      if (link.revokedAt !== null)
        throw new DomainError('GONE', 'This link was revoked. Ask who sent it for a new one.');
      if (link.expiresAt <= now) {
        const day = link.expiresAt.toISOString().slice(0, 10);
        throw new DomainError('GONE', `This link expired on ${day}. Ask who sent it for a new one.`);
      }
      const crash = await readCrash(db, link);
      await noteUse(db, link, now);
      return crash;
    },
  };
}

interface ShareLinksDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
}

function onDump(action: string, { id, filename }: { id: number; filename: string }): AuditNote {
  return { action, targetType: 'Coredump', targetId: id, target: filename };
}

async function readCrash(db: Db, { coredumpId, expiresAt }: ShareLinkRow): Promise<SharedCrash> {
  const facts = await createCrashFacts(db).load(coredumpId);
  if (facts === null) throw new DomainError('NOT_FOUND', 'The crash of this link was deleted.');
  const { report, output } = await readOne(db, coredumpId);
  const { dump, device, model, group }: Omit<CrashToDescribe, 'report' | 'output'> = facts;
  return {
    title: group?.title ?? report?.reason ?? dump.filename,
    model: { code: model.code, name: model.name },
    device: { key: device.key, serial: device.serial, name: device.name },
    crashVersion: dump.crashVersion,
    reportedVersion: dump.firmwareVersion,
    chip: dump.chip,
    source: dump.kind,
    uploadedAt: dump.uploadedAt,
    parseStatus: dump.parseStatus,
    report: report === null ? null : withOwnCode(redactReport(report)),
    markdown: describeCrash(facts, report, output, null),
    expiresAt,
  };
}

/** As `StackFrame.isOwnCode` of GraphQL. */
function withOwnCode(report: CrashReport): CrashReport {
  const marked = (frames: readonly StackFrame[]) =>
    frames.map((frame) => ({ ...frame, isOwnCode: report.usesElf && isOwnFrame(frame) }));
  return {
    ...report,
    tasks: report.tasks.map((task) => ({
      ...task,
      frames: marked(task.frames),
      interruptedFrames: marked(task.interruptedFrames),
    })),
  };
}

/** A failure is no reason to refuse the crash: the disk may be full. */
async function noteUse(db: Db, { id, lastUsedAt }: ShareLinkRow, now: Date): Promise<void> {
  if (lastUsedAt !== null && now.getTime() - lastUsedAt.getTime() < USE_EVERY_MS) return;
  await db.shareLink.updateMany({ where: { id }, data: { lastUsedAt: now } }).catch(() => {});
}
