import { createContext, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import { useClient } from 'urql';
import { graphql } from '../generated';
import type { ParseStatus } from '../generated/graphql';
import type { Connection, ConnectionState } from './client';

/**
 * A change of a dump or a crash group. Null: anything may have changed, after a broken connection or our own change.
 */
export type Change =
  | { kind: 'dump'; id: string; parseStatus: ParseStatus; deviceKey: string }
  | { kind: 'group'; id: string }
  | null;

interface Live {
  listen(listener: (change: Change) => void): () => void;
  /** After our own change: all visible data is read again. */
  readAgain(): void;
  connection: Connection;
}

const LiveContext = createContext<Live | null>(null);

const ParseStatusOfFleet = graphql(`
  subscription ParseStatusOfFleet { parseStatus { id parseStatus device { key } } }
`);

const GroupOfFleetUpdated = graphql(`
  subscription GroupOfFleetUpdated { crashGroupUpdated { id } }
`);

/** Time from the end of a subscription to the next attempt. */
const RESUBSCRIBE_MS = 2_000;

/** One subscription of each kind for the whole page, however many components listen. */
export function LiveProvider({ connection, children }: { connection: Connection; children: ReactNode }) {
  const client = useClient();
  const { live, notify } = useMemo(() => createBus(connection), [connection]);

  useEffect(
    () =>
      keepSubscribed((onError) =>
        client.subscription(ParseStatusOfFleet, {}).subscribe(({ data, error }) => {
          if (error !== undefined) onError();
          if (data == null) return;
          const { id, parseStatus, device } = data.parseStatus;
          notify({ kind: 'dump', id, parseStatus, deviceKey: device.key });
        }),
      ),
    [client, notify],
  );
  useEffect(
    () =>
      keepSubscribed((onError) =>
        client.subscription(GroupOfFleetUpdated, {}).subscribe(({ data, error }) => {
          if (error !== undefined) onError();
          if (data != null) notify({ kind: 'group', id: data.crashGroupUpdated.id });
        }),
      ),
    [client, notify],
  );

  useEffect(() => {
    let wasLost = false;
    return connection.onChange(() => {
      // Changes between two connections were missed, so everything is read again.
      if (connection.state() === 'live' && wasLost) notify(null);
      wasLost = connection.state() === 'lost';
    });
  }, [connection, notify]);

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

/** Subscribes again after a pause when the server ends the subscription with an error. */
function keepSubscribed(subscribe: (onError: () => void) => { unsubscribe(): void }): () => void {
  let timer: number | undefined;
  let subscription = { unsubscribe: () => {} };
  const start = () => {
    subscription = subscribe(() => {
      window.clearTimeout(timer);
      timer = window.setTimeout(start, RESUBSCRIBE_MS);
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
  const notify = (change: Change) => {
    for (const listener of listeners) listener(change);
  };
  const live: Live = {
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    readAgain: () => notify(null),
    connection,
  };
  return { live, notify };
}
