import type { Audit } from '../audit/service.js';
import type { Authenticator } from '../auth/authenticator.js';
import { identityOf, type Person, requirePerson, TokenExpired } from '../auth/principal.js';
import { SessionEnded, type SessionLookup } from '../auth/session-lookup.js';
import { sha256 } from '../auth/static-tokens.js';
import { DomainError } from '../errors.js';
import { createLease } from '../platform/background/lease.js';
import type { Clock } from '../platform/clock.js';
import { Prisma } from '../platform/database/client.js';
import type { Database } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';
import { createHeldSessions, type FoundSession } from './held.js';
import { createSessionRenewal, RENEWAL_LEASE_MS } from './renewal.js';
import { newSecret, type SessionTokens, seal, unseal } from './sealed-tokens.js';

/** A session ends when it was not used for so long. */
const DISUSE_MS = 30 * DAY_MS;
/** The last use is written to this exactness, so that reading does not write at each request. */
const TOUCH_MS = 5 * 60_000;
/** How long before its end a token is renewed; half of its life where that is shorter. */
const EARLY_MS = 60_000;
/** Of one person; the least recently used end first. */
const MAX_SESSIONS = 1_000;

/** Where a request came from, for the audit. */
interface Origin {
  address: string;
  requestId: string;
}

export type Sessions = ReturnType<typeof createSessions>;

/**
 * The sessions of browsers. The cookie has a secret. The row has its digest, and the tokens of the person, which only
 * the secret opens: a copy of the database gives nobody access. The tokens are authenticated with each request, so a
 * session is never worth more than its tokens are now.
 */
export function createSessions({
  database,
  auth,
  clientId,
  audit,
  clock,
  log,
  watchMs,
}: {
  database: Pick<Database, 'db' | 'now'>;
  auth: Pick<Authenticator, 'authenticate' | 'renew'>;
  /** Of the page at the issuer; null where the page signs nobody in there. */
  clientId: string | null;
  audit: Pick<Audit, 'removal'>;
  clock: Pick<Clock, 'now'>;
  log: Logger;
  /** How often sessions that other servers ended are looked for; the default if absent. */
  watchMs?: number;
}) {
  const { db } = database;
  const lease = createLease({ now: database.now, lastsMs: RENEWAL_LEASE_MS });
  const renewal = createSessionRenewal({ db, auth, clientId, lease, clock, log });
  const held = createHeldSessions({
    find: look,
    existing,
    clock,
    log,
    ...(watchMs === undefined ? {} : { watchMs }),
  });
  const touches = new Set<Promise<unknown>>();

  return {
    /**
     * Begins a session for somebody whose token was authenticated just now.
     *
     * @param refreshToken of a page that has signed in at the issuer; null if there is none
     * @returns the value for the cookie, and the person with the end of the session
     */
    async begin(
      person: Person,
      { token, refreshToken, origin }: Pick<SessionTokens, 'token' | 'refreshToken' | 'origin'>,
    ): Promise<{ secret: string; person: Person }> {
      const now = clock.now();
      const tokens: SessionTokens = {
        token,
        refreshToken: person.via === 'issuer' && clientId !== null ? refreshToken : null,
        origin,
        receivedAt: now.getTime(),
      };
      const secret = newSecret();
      const endsAt = endOf(person, tokens, now);
      const owner = ownerOf(person);
      const surplus = await audit.removal(async (tx, note) => {
        await tx.session.create({
          data: {
            ...owner,
            endsAt,
            secretSha256: sha256(secret),
            sealed: seal(secret, tokens),
            createdAt: now,
            lastUsedAt: now,
          },
        });
        const tooMany = await tx.session.findMany({
          where: { actorId: owner.actorId },
          orderBy: [{ lastUsedAt: 'desc' }, { id: 'desc' }],
          skip: MAX_SESSIONS,
          take: MAX_SESSIONS,
          select: { id: true, secretSha256: true },
        });
        await tx.session.deleteMany({ where: { id: { in: tooMany.map(({ id }) => id) } } });
        await note({ action: 'signIn' });
        return tooMany;
      });
      held.end(surplus.map(({ secretSha256 }) => secretSha256));
      return { secret, person: { ...person, until: endsAt } };
    },

    find: async (secret: string): Promise<Person> => (await look(secret)).person,

    hold: (secret: string) => held.hold(secret, sha256(secret)),

    /** Signs one browser out. Does nothing when its session has ended. */
    async end(secret: string, origin: Origin): Promise<void> {
      const digest = sha256(secret);
      await audit.removal(async (tx, note) => {
        const row = await tx.session.findUnique({ where: { secretSha256: digest } });
        if (row === null) return;
        await tx.session.deleteMany({ where: { id: row.id } });
        await note({ action: 'signOut', by: actorOf(row, origin) });
      });
      held.end([digest]);
    },

    /** Signs out every browser of the person who has this session. @throws SessionEnded */
    async endEverywhere(secret: string, origin: Origin): Promise<void> {
      const row = await db.session.findUnique({ where: { secretSha256: sha256(secret) } });
      if (row === null) throw new SessionEnded();
      await endAllOf(row, origin);
    },

    /** Signs out every browser of a person who sends a token. */
    endAll: (person: Person, origin: Origin): Promise<void> => endAllOf(ownerOf(person), origin),

    /** Removes the rows of sessions that have ended. */
    async forgetEnded(): Promise<void> {
      await db.fromReserve(() => db.session.deleteMany({ where: { endsAt: { lte: clock.now() } } }));
    },

    /** Resolves when nothing is written any more. Call it before the database is closed. */
    async idle(): Promise<void> {
      await renewal.idle();
      await Promise.allSettled(touches);
    },
  } satisfies SessionLookup & Record<string, unknown>;

  async function endAllOf(of: Owner, origin: Origin): Promise<void> {
    const digests = await audit.removal(async (tx, note) => {
      const where = { actorId: of.actorId };
      const rows = await tx.session.findMany({ where, select: { secretSha256: true } });
      const { count } = await tx.session.deleteMany({ where });
      await note({
        action: 'signOutEverywhere',
        detail: count === 1 ? '1 session' : `${count} sessions`,
        by: actorOf(of, origin),
      });
      return rows.map(({ secretSha256 }) => secretSha256);
    });
    held.end(digests);
  }

  /** @throws SessionEnded, DomainError */
  async function look(secret: string): Promise<FoundSession> {
    const now = clock.now();
    const [row] = await db.lookup<SessionRow>(Prisma.sql`
      SELECT "id", "sealed", "actor", "actorId", "via", "role", "lastUsedAt", "endsAt" FROM "Session"
      WHERE "secretSha256" = ${sha256(secret)}`);
    const sealed = row === undefined || row.endsAt <= now ? null : unseal(secret, row.sealed);
    if (row === undefined || sealed === null) throw new SessionEnded();
    const { person, tokens } = await current(row, secret, sealed);
    const endsAt = noteUse(row, person, endOf(person, tokens, now));
    return {
      person: { ...person, until: endsAt },
      tokenUntil: person.until,
      renewAt: tokens.refreshToken === null ? person.until : renewalTimeOf(person, tokens),
    };
  }

  /** Who the session's token says it is, now. Renews a token that ends soon, or has ended. */
  async function current(row: SessionRow, secret: string, tokens: SessionTokens) {
    try {
      const person = await personOf(tokens.token);
      const dueAt = tokens.refreshToken === null ? null : renewalTimeOf(person, tokens);
      if (dueAt === null || dueAt > clock.now()) return { person, tokens };
      const renewed = renewal.renew(row, secret, tokens);
      // The token is still good, so nobody waits.
      renewed.catch((error: unknown) => log.debug({ err: error }, 'a session could not be renewed early'));
      return { person, tokens };
    } catch (error) {
      if (!(error instanceof TokenExpired)) throw endedBy(error);
      if (tokens.refreshToken === null) {
        throw new SessionEnded('The session has ended with its token: sign in again.');
      }
    }
    const renewed = await renewal.renew(row, secret, tokens);
    const person = await personOf(renewed.token).catch((error: unknown) => {
      throw endedBy(error);
    });
    return { person, tokens: renewed };
  }

  async function personOf(token: string): Promise<Person> {
    return requirePerson(await auth.authenticate(`Bearer ${token}`), clock.now());
  }

  /** Writes the last use, unless it is recent. @returns when the session ends */
  function noteUse(row: SessionRow, { name: actor, kind: role }: Person, endsAt: Date): Date {
    const now = clock.now();
    const isRecent = now.getTime() - row.lastUsedAt.getTime() < TOUCH_MS;
    if (isRecent && row.actor === actor && row.role === role) return row.endsAt;
    const data = { actor, role, lastUsedAt: now, endsAt };
    const touch = db.session
      .updateMany({ where: { id: row.id }, data })
      .catch((error: unknown) => log.debug({ err: error }, 'the use of a session could not be written'))
      .finally(() => touches.delete(touch));
    touches.add(touch);
    return endsAt;
  }

  async function existing(digests: readonly string[]): Promise<ReadonlySet<string>> {
    const there = new Set<string>();
    for (let at = 0; at < digests.length; at += BATCH) {
      const rows = await db.session.findMany({
        where: { secretSha256: { in: digests.slice(at, at + BATCH) } },
        select: { secretSha256: true },
      });
      for (const { secretSha256 } of rows) there.add(secretSha256);
    }
    return there;
  }
}

const BATCH = 500;

interface SessionRow extends Owner {
  id: number;
  sealed: string;
  lastUsedAt: Date;
  endsAt: Date;
}

interface Owner {
  actor: string;
  actorId: string;
  via: string;
  role: string;
}

function ownerOf(person: Person): Owner {
  return { actor: person.name, actorId: identityOf(person), via: person.via, role: person.kind };
}

/** A session that can be renewed, or whose token does not end, lasts as long as it is used. */
function endOf({ until }: Person, { refreshToken }: SessionTokens, now: Date): Date {
  const unused = new Date(now.getTime() + DISUSE_MS);
  if (refreshToken !== null || until === null || until > unused) return unused;
  return until;
}

function renewalTimeOf({ until }: Person, { receivedAt }: SessionTokens): Date | null {
  if (until === null) return null;
  const lifeMs = Math.max(0, until.getTime() - receivedAt);
  return new Date(until.getTime() - Math.min(EARLY_MS, lifeMs / 2));
}

/** A token that is not accepted any more ends the session; other errors stay what they are. */
function endedBy(error: unknown): unknown {
  const isRefused = error instanceof DomainError && error.code === 'UNAUTHENTICATED';
  return isRefused ? new SessionEnded() : error;
}

function actorOf({ actor, via, role }: Owner, { address, requestId }: Origin) {
  // They were written from a person of these very types.
  return { actor, via: via as Person['via'], role: role as Person['kind'], address, requestId };
}
