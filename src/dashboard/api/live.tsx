import { createContext, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import { useClient } from 'urql';
import { graphql } from '../generated';
import { onSessionChange, sessionState } from '../session/session';
import type { Connection, ConnectionState } from './client';

/**
 * What arrived, changed or was deleted. `deviceKey` is the device of a dump that still exists. Null: anything may have
 * changed, after our own change or after a break that was too long.
 */
export type Change =
  | { kind: 'COREDUMP'; id: string; deviceKey: string | null; isDeleted: boolean }
  | { kind: 'CRASH_GROUP' | 'DEVICE' | 'FIRMWARE' | 'DEVICE_MODEL'; id: string; isDeleted: boolean }
  | null;

interface Live {
  listen(listener: (change: Change) => void): () => void;
  /** After our own change: all visible data is read again. */
  readAgain(): void;
  /** Calls the listener after each change of our own, before `listen`'s. */
  listenToOwn(listener: () => void): () => void;
  connection: Connection;
}

const LiveContext = createContext<Live | null>(null);

/** `since` is the last event that was received: `client.ts` sets it when the page connects again. */
const EventsOfFleet = graphql(`
  subscription EventsOfFleet($since: String) {
    crashEvents(since: $since) { type subjectId subject cursor coredump { id device { id key } } }
  }
`);

/** Time from the end of a subscription to the next attempt. */
const RESUBSCRIBE_MS = 2_000;

/** One subscription for the whole page, however many components listen. */
export function LiveProvider({ connection, children }: { connection: Connection; children: ReactNode }) {
  const client = useClient();
  const { live, notify } = useMemo(() => createBus(connection), [connection]);

  useEffect(() => {
    let isFollowing = false;
    // Changes may have been missed that no cursor brings back. So it begins: the page asks its first queries before the
    // server follows changes for it.
    let isBehind = true;
    const unlisten = connection.onChange(() => {
      if (connection.state() === 'lost' && !isFollowing) isBehind = true;
    });
    const unsubscribe = keepSubscribed((onError) =>
      client.subscription(EventsOfFleet, { since: null }).subscribe(({ data, error }) => {
        // With an error urql gives the data of the event before, and the same error with every later event.
        if (error !== undefined) {
          isBehind = true;
          onError();
          return;
        }
        if (data == null) return;
        isFollowing = true;
        const { type, subjectId: id, subject, coredump } = data.crashEvents;
        if (type === 'GAP' || (type === 'READY' && isBehind)) notify(null);
        if (type === 'READY') isBehind = false;
        if (id == null || subject == null) return;
        const isDeleted = type === 'DELETED';
        if (subject === 'COREDUMP')
          notify({ kind: subject, id, deviceKey: coredump?.device.key ?? null, isDeleted });
        else notify({ kind: subject, id, isDeleted });
      }),
    );
    return () => {
      unlisten();
      unsubscribe();
    };
  }, [client, connection, notify]);
  useReadingAfterSignIn(notify);

  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error('useLive needs a LiveProvider around it');
  return live;
}

export function useConnectionState(): ConnectionState {
  const { connection } = useLive();
  return useSyncExternalStore(connection.onChange, connection.state);
}

/** What was asked while nobody was signed in was refused. */
function useReadingAfterSignIn(notify: (change: Change) => void): void {
  useEffect(() => {
    let wasLocked = sessionState().isLocked;
    return onSessionChange(() => {
      const { isLocked } = sessionState();
      if (wasLocked && !isLocked) notify(null);
      wasLocked = isLocked;
    });
  }, [notify]);
}

/**
 * Subscribes again after a pause when the server answers an event with an error, or ends the subscription with one. Only
 * a new subscription says READY, so that what the event was about is read.
 */
function keepSubscribed(subscribe: (onError: () => void) => { unsubscribe(): void }): () => void {
  let timer: number | undefined;
  let subscription = { unsubscribe: () => {} };
  const start = () => {
    timer = undefined;
    subscription.unsubscribe();
    subscription = subscribe(() => {
      timer ??= window.setTimeout(start, RESUBSCRIBE_MS);
    });
  };
  start();
  return () => {
    window.clearTimeout(timer);
    subscription.unsubscribe();
  };
}

function createBus(connection: Connection) {
  const listeners = new Set<(change: Change) => void>();
  const own = new Set<() => void>();
  const notify = (change: Change) => {
    for (const listener of listeners) listener(change);
  };
  const live: Live = {
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    readAgain() {
      for (const listener of own) listener();
      notify(null);
    },
    listenToOwn(listener) {
      own.add(listener);
      return () => own.delete(listener);
    },
    connection,
  };
  return { live, notify };
}
