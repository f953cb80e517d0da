import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import { type CommitRecord, commitOf } from '../transaction.js';
import { ANNOUNCED_TABLES, type AnnouncedTable, type Announcements, type Follower } from '../types.js';
import { connectUntil } from './connect-until.js';

/** A NOTIFY payload must be shorter than 8,000 bytes. */
const MAX_IDS = 500;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** Heartbeats also detect a connection that broke without an error. */
const HEARTBEAT_MS = 10_000;
const HEARTBEAT_TIMEOUT_MS = 10_000;
/** Time limit for reading some hundred rows by id. A read that never ends must not stop the announcements. */
const READING_TIMEOUT_MS = 30_000;
/** Time limit for finding changes that were missed, which reads all rows: seconds for some millions. */
const CATCH_UP_TIMEOUT_MS = 120_000;
/** Own announcements whose notification is still expected; far fewer are in transit at the same time. */
const REMEMBERED = 10_000;
/** Time limit for a notification of this server to itself; others arrive within milliseconds. */
const RECEIVE_TIMEOUT_MS = 10_000;
/** How much later than its announcement the answer to a COMMIT may arrive, because it uses another connection. */
const ANSWER_MS = 2_000;

/**
 * Announcements by LISTEN and NOTIFY, on a separate connection that `follow` opens. Whenever it breaks, it is opened
 * again with growing pauses.
 *
 * A notification that no connection received is gone. So each heartbeat remembers a horizon: a transaction number below
 * which all transactions have ended. PostgreSQL stores in every row (`xmin`) which transaction wrote it. After a gap,
 * the rows written at or beyond the horizon are the changed ones, whatever the clocks and the order of commits.
 *
 * A connection can be open and receive nothing: a pooler that assigns a connection per transaction forwards no
 * notifications. So each heartbeat also notifies this server itself, by a connection of the pool. If that does not
 * arrive, the connection counts as broken.
 *
 * @param pool sends these notifications: on the listening connection they would come back through any pooler
 */
export function createPostgresqlAnnouncements(
  config: pg.ClientConfig,
  { pool, onTrouble }: { pool: pg.Pool; onTrouble: (error: unknown) => void },
): Announcements & { close(): Promise<void> } {
  const self = randomUUID();
  const ownChannel = `coredock.${self}`;
  let proofs = 0;
  let onProof = (_number: string) => {};
  let isHearing = false;
  /**
   * Own changes are already known, unless the answer to their COMMIT did not arrive. Entries are removed on arrival.
   */
  const own = new LRUCache<string, CommitRecord>({ max: REMEMBERED });
  let announced = 0;
  const followers = new Map<AnnouncedTable, Follower & { changed: Set<number>; isBusy: boolean }>();
  /**
   * All changes below the horizon were received. `older` is one heartbeat older than the newest, because a heartbeat
   * may overtake a notification.
   */
  let horizon: { older: string; newest: string } | null = null;
  let keeping: Promise<void> | null = null;
  const stop = new AbortController();

  return {
    async announce(tx, table, ids) {
      for (let from = 0; from < ids.length; from += MAX_IDS) {
        const number = String(++announced);
        own.set(number, commitOf(tx));
        const payload = `${self} ${number} ${ids.slice(from, from + MAX_IDS).join(',')}`;
        await tx.$executeRaw`SELECT pg_notify(${channelOf(table)}, ${payload})`;
      }
    },

    async follow(given) {
      for (const table of ANNOUNCED_TABLES) {
        followers.set(table, { ...given[table], changed: new Set(), isBusy: false });
      }
      keeping = keepListening(await listen());
    },

    isHearing: () => isHearing,

    async close() {
      stop.abort();
      await keeping;
    },
  };

  async function keepListening(first: Listening): Promise<void> {
    let listening: Listening | null = first;
    let pauseMs = FIRST_PAUSE_MS;
    while (!stop.signal.aborted) {
      try {
        listening ??= await listen();
        pauseMs = FIRST_PAUSE_MS;
        await untilBroken(listening);
      } catch (error) {
        if (!stop.signal.aborted) onTrouble(error);
      }
      listening = null;
      isHearing = false;
      // A random part, so that many servers do not reconnect at the same time.
      await pause(pauseMs * (0.5 + Math.random() / 2), undefined, { signal: stop.signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Resolves when every later change will be received, and the read of missed changes has started. */
  async function listen(): Promise<Listening> {
    const client = new pg.Client({ ...config, query_timeout: CATCH_UP_TIMEOUT_MS });
    const broken = new Promise<Error>((resolve) => {
      client.on('error', resolve);
      client.on('end', () => resolve(new Error('the connection that listens for changes was ended')));
    });
    client.on('notification', ({ channel, payload = '' }) => receive(channel, payload));
    const onStop = () => endQuietly(client);
    stop.signal.addEventListener('abort', onStop, { once: true });
    try {
      await connectUntil(client, stop.signal);
      for (const channel of [...ANNOUNCED_TABLES.map(channelOf), ownChannel]) {
        await client.query(`LISTEN "${channel}"`);
      }
      if ((await proveReceiving()) === 'unsent')
        throw new Error('the database does not accept notifications');
      const now = await readHorizon(client);
      if (horizon !== null) await catchUp(client, horizon.older);
      horizon = { older: now, newest: now };
      isHearing = true;
      return { client, broken };
    } catch (error) {
      endQuietly(client);
      throw error;
    } finally {
      stop.signal.removeEventListener('abort', onStop);
    }
  }

  /** @throws when a notification of this server to itself does not arrive */
  async function proveReceiving(): Promise<'heard' | 'unsent'> {
    const number = String(++proofs);
    const heard = new Promise<'heard'>((resolve) => {
      onProof = (proof) => {
        if (proof === number) resolve('heard');
      };
    });
    try {
      await pool.query('SELECT pg_notify($1, $2)', [ownChannel, number]);
    } catch {
      return 'unsent';
    }
    const rest = new AbortController();
    const late = pause(RECEIVE_TIMEOUT_MS, 'late' as const, {
      signal: AbortSignal.any([stop.signal, rest.signal]),
    });
    const happened = await Promise.race([heard, late]).finally(() => rest.abort());
    if (happened === 'late') throw new Error(NOT_RECEIVING);
    return happened;
  }

  /** @throws the error that broke the connection */
  async function untilBroken({ client, broken }: Listening): Promise<never> {
    try {
      for (;;) {
        const rest = new AbortController();
        const beat = pause(HEARTBEAT_MS, 'beat' as const, {
          signal: AbortSignal.any([stop.signal, rest.signal]),
        });
        const happened = await Promise.race([beat, broken]).finally(() => rest.abort());
        if (happened !== 'beat') throw happened;
        const newest = await readHorizon(client);
        // If the pool is busy, the test is inconclusive.
        if ((await proveReceiving()) === 'unsent') continue;
        horizon = { older: horizon?.newest ?? newest, newest };
      }
    } finally {
      endQuietly(client);
    }
  }

  function receive(channel: string, payload: string): void {
    if (channel === ownChannel) onProof(payload);
    const [from, number = '', ids = ''] = payload.split(' ');
    const table = ANNOUNCED_TABLES.find((name) => channelOf(name) === channel);
    if (table === undefined) return;
    const changed = ids.split(',').map(Number);
    if (from !== self) publish(table, changed);
    else void publishUnlessKnown(number, table, changed);
  }

  /** An own change without an answer to its COMMIT: its request treated it as failed, and did not publish it here. */
  async function publishUnlessKnown(
    number: string,
    table: AnnouncedTable,
    ids: readonly number[],
  ): Promise<void> {
    const commit = own.get(number);
    own.delete(number);
    const isKnown = () => commit?.isAcknowledged ?? false;
    if (isKnown()) return;
    await pause(ANSWER_MS, undefined, { signal: stop.signal, ref: false }).catch(() => {});
    if (!stop.signal.aborted && !isKnown()) publish(table, ids);
  }

  async function catchUp(client: pg.Client, since: string): Promise<void> {
    for (const [table, follower] of followers) {
      if (!follower.isWanted()) continue;
      // A row has the lower 32 bits of its transaction's number, which is less than the number of the next transaction.
      const { rows } = await client.query<{ id: number }>(
        `SELECT "id" FROM "${table}" t,
          (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next) AS now
         WHERE now.next - ((now.next - t.xmin::text::bigint) & 4294967295) >= $1::bigint
         ORDER BY "id"`,
        [since],
      );
      publish(
        table,
        rows.map(({ id }) => id),
      );
    }
  }

  function publish(table: AnnouncedTable, ids: readonly number[]): void {
    const follower = followers.get(table);
    if (follower === undefined || !follower.isWanted()) return;
    for (const id of ids) follower.changed.add(id);
    if (!follower.isBusy) void deliver(follower);
  }

  /** One read after the other, so that no older state is published after a newer one. */
  async function deliver(follower: Follower & { changed: Set<number>; isBusy: boolean }): Promise<void> {
    follower.isBusy = true;
    while (follower.changed.size > 0 && !stop.signal.aborted) {
      const ids = [...follower.changed].slice(0, MAX_IDS);
      for (const id of ids) follower.changed.delete(id);
      try {
        const reading = await Promise.race([
          follower.onChanged(ids).then(() => 'done' as const),
          pause(READING_TIMEOUT_MS, 'late' as const, { ref: false }),
        ]);
        if (reading === 'late') throw new Error(`reading ${ids.length} changed rows takes too long`);
      } catch (error) {
        onTrouble(error);
        for (const id of ids) follower.changed.add(id);
        await pause(FIRST_PAUSE_MS, undefined, { signal: stop.signal }).catch(() => {});
      }
    }
    follower.isBusy = false;
  }
}

const NOT_RECEIVING =
  'notifications of PostgreSQL (NOTIFY) do not arrive: DATABASE_URL leads through a pooler that assigns a connection per ' +
  'transaction or statement; use session pooling (PgBouncer: pool_mode = session), or connect to PostgreSQL directly';

interface Listening {
  client: pg.Client;
  broken: Promise<Error>;
}

/** Not awaited: `pg` never settles the end of a connection that broke while connecting. */
function endQuietly(client: pg.Client): void {
  client.end().catch(() => {});
}

function channelOf(table: AnnouncedTable): string {
  return `coredock.${table}`;
}

/** The transaction number below which all have ended. @throws when there is no answer in time */
async function readHorizon(client: pg.Client): Promise<string> {
  const query = client.query<{ horizon: string }>(
    'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon',
  );
  const tooLate = new AbortController();
  const late = pause(HEARTBEAT_TIMEOUT_MS, null, { signal: tooLate.signal });
  const answer = await Promise.race([query, late]).finally(() => tooLate.abort());
  const [row] = answer?.rows ?? [];
  if (row === undefined) throw new Error('the connection that listens for changes does not answer');
  return row.horizon;
}
