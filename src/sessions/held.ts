import { setMaxListeners } from 'node:events';
import { type Person, TokenExpired } from '../auth/principal.js';
import { type HeldSession, SessionEnded } from '../auth/session-lookup.js';
import { DomainError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { HOUR_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';

/** How often the database is asked which sessions still exist: another server may have ended them. */
const WATCH_MS = 5_000;
/** Pause before the next attempt when a session could not be checked. */
const RETRY_MS = 5_000;

/** What is known of a session that was found. */
export interface FoundSession {
  person: Person;
  /** When the token that it has now is no longer accepted; null: never. */
  tokenUntil: Date | null;
  /** When its token should be renewed, or it is checked again; null: no need. */
  renewAt: Date | null;
}

interface Held {
  readonly digest: string;
  end(error: DomainError): void;
  check(): Promise<void>;
}

/**
 * The sessions of open connections: each is renewed before its token ends, and ended when it is signed out, here or on
 * another server.
 *
 * @param find as for a request; it also notes that the session is in use
 * @param existing those of the digests that have a row
 */
export function createHeldSessions({
  find,
  existing,
  clock,
  log,
  watchMs = WATCH_MS,
}: {
  find: (secret: string) => Promise<FoundSession>;
  existing: (digests: readonly string[]) => Promise<ReadonlySet<string>>;
  clock: Pick<Clock, 'now'>;
  log: Logger;
  watchMs?: number;
}) {
  const held = new Set<Held>();
  let watch: NodeJS.Timeout | undefined;

  return {
    /** @throws whatever `find` throws */
    async hold(secret: string, digest: string): Promise<HeldSession> {
      const ended = new AbortController();
      // Each subscription of the connection listens.
      setMaxListeners(0, ended.signal);
      let timer: NodeJS.Timeout | undefined;
      let found: FoundSession | null = null;
      const entry: Held = {
        digest,
        end(error) {
          ended.abort(error);
          release();
        },
        check,
      };
      // Before the session is looked for, so that an end in between is not missed.
      held.add(entry);
      watch ??= setInterval(() => void lookForEnded(), watchMs).unref();
      try {
        found = await find(secret);
        if (ended.signal.aborted) throw ended.signal.reason;
      } catch (error) {
        release();
        throw error;
      }
      const { person } = found;
      schedule();
      return { person, ended: ended.signal, remainingMs, release };

      function remainingMs(): number {
        if (ended.signal.aborted) return 0;
        const until = found?.tokenUntil ?? null;
        return until === null ? Number.POSITIVE_INFINITY : until.getTime() - clock.now().getTime();
      }

      function schedule(delayMs = untilRenewalMs(found?.renewAt ?? null)): void {
        clearTimeout(timer);
        const ms = Math.max(0, Math.min(delayMs, remainingMs()));
        if (held.has(entry)) timer = setTimeout(() => void check(), ms).unref();
      }

      async function check(): Promise<void> {
        try {
          const next = await find(secret);
          if (next.person.kind !== person.kind)
            entry.end(new TokenExpired('Your role has changed: connect again.'));
          found = next;
          schedule();
        } catch (error) {
          const isPassing = !(error instanceof DomainError) || error.code === 'UNAVAILABLE';
          if (isPassing && remainingMs() > 0) {
            log.debug({ err: error }, 'the session of a connection could not be checked');
            schedule(RETRY_MS);
            return;
          }
          entry.end(isPassing ? new SessionEnded() : error);
        }
      }

      function release(): void {
        clearTimeout(timer);
        held.delete(entry);
        if (held.size > 0) return;
        clearInterval(watch);
        watch = undefined;
      }
    },

    /** Ends the connections of sessions that were signed out on this server. */
    end(digests: readonly string[]): void {
      const gone = new Set(digests);
      for (const entry of [...held]) if (gone.has(entry.digest)) entry.end(new SessionEnded());
    },
  };

  /** At most an hour: the session is in use as long as the connection is open. */
  function untilRenewalMs(renewAt: Date | null): number {
    const dueMs = renewAt === null ? HOUR_MS : renewAt.getTime() - clock.now().getTime();
    // Due already: the renewal runs, or the issuer does not answer.
    return dueMs > 0 ? Math.min(dueMs, HOUR_MS) : RETRY_MS;
  }

  async function lookForEnded(): Promise<void> {
    try {
      const there = await existing([...new Set([...held].map(({ digest }) => digest))]);
      for (const entry of [...held]) if (!there.has(entry.digest)) await entry.check();
    } catch (error) {
      log.debug({ err: error }, 'the sessions of connections could not be checked');
    }
  }
}
