import { setTimeout as pause } from 'node:timers/promises';
import type { Authenticator } from '../auth/authenticator.js';
import { SessionEnded } from '../auth/session-lookup.js';
import { RenewalRefused } from '../auth/token-renewal.js';
import { DomainError } from '../errors.js';
import type { Lease } from '../platform/background/lease.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import { type SessionTokens, seal, unseal } from './sealed-tokens.js';

/** Longer than the issuer may take to answer. */
export const RENEWAL_LEASE_MS = 20_000;
/** Pause between two attempts while the issuer does not answer. */
const RETRY_MS = 5_000;
/** How often the result of another server is looked for. */
const LOOK_MS = 100;

/** A session as its row has it. */
export interface SealedSession {
  id: number;
  sealed: string;
}

export type SessionRenewal = ReturnType<typeof createSessionRenewal>;

/**
 * Renews the tokens of sessions at the issuer. An issuer may accept a refresh token only once, so one server renews a
 * session at a time: the one that has set `renewalUntil` in its row. The others wait for the new tokens.
 */
export function createSessionRenewal({
  db,
  auth,
  clientId,
  lease,
  clock,
  log,
}: {
  db: Db;
  auth: Pick<Authenticator, 'renew'>;
  /** Of the page at the issuer; null where the page signs nobody in there. */
  clientId: string | null;
  lease: Lease;
  clock: Pick<Clock, 'now'>;
  log: Logger;
}) {
  const running = new Map<number, Promise<SessionTokens>>();

  return {
    /**
     * @returns the new tokens, whichever server got them
     * @throws SessionEnded when the issuer gives none any more; DomainError UNAVAILABLE when it does not answer
     */
    renew(session: SealedSession, secret: string, tokens: SessionTokens): Promise<SessionTokens> {
      const known = running.get(session.id);
      if (known !== undefined) return known;
      const renewing = renewOnce(session, secret, tokens).finally(() => running.delete(session.id));
      running.set(session.id, renewing);
      return renewing;
    },

    /** Resolves when nothing is renewed. Call it before the database is closed. */
    async idle(): Promise<void> {
      await Promise.allSettled(running.values());
    },
  };

  async function renewOnce({ id, sealed }: SealedSession, secret: string, tokens: SessionTokens) {
    const { refreshToken, origin } = tokens;
    if (refreshToken === null || clientId === null) throw new SessionEnded();
    const { at, until } = await lease.term();
    const { count } = await db.fromReserve(() =>
      db.session.updateMany({
        where: { id, sealed, OR: [{ renewalUntil: null }, { renewalUntil: { lt: at } }] },
        data: { renewalUntil: until },
      }),
    );
    if (count === 0) return ofOther(id, sealed, secret);
    try {
      const renewed = await auth.renew({ clientId, refreshToken, origin });
      const fresh = { ...renewed, origin, receivedAt: clock.now().getTime() };
      const data = { sealed: seal(secret, fresh), renewalUntil: null };
      await db.fromReserve(() => db.session.updateMany({ where: { id }, data }));
      return fresh;
    } catch (error) {
      if (error instanceof RenewalRefused) {
        log.info({ reason: error.message }, 'a session has ended at the issuer');
        await db.fromReserve(() => db.session.deleteMany({ where: { id } }));
        throw new SessionEnded('The session has ended at the issuer: sign in again.');
      }
      const next = new Date(at.getTime() + RETRY_MS);
      await db.session.updateMany({ where: { id, renewalUntil: until }, data: { renewalUntil: next } });
      throw error;
    }
  }

  /** Waits for the server that renews the session. @throws DomainError UNAVAILABLE when it does not succeed */
  async function ofOther(id: number, sealed: string, secret: string): Promise<SessionTokens> {
    for (;;) {
      const row = await db.session.findUnique({ where: { id } });
      if (row === null) throw new SessionEnded();
      const tokens = row.sealed === sealed ? null : unseal(secret, row.sealed);
      if (tokens !== null) return tokens;
      const { at } = await lease.term();
      if (row.renewalUntil === null || row.renewalUntil.getTime() - at.getTime() <= RETRY_MS) {
        throw new DomainError('UNAVAILABLE', 'The session cannot be renewed now; try again.');
      }
      await pause(LOOK_MS);
    }
  }
}
