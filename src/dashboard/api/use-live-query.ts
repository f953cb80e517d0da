import { useCallback, useEffect, useRef } from 'react';
import { type AnyVariables, type CombinedError, createRequest, type TypedDocumentNode, useQuery } from 'urql';
import { type Change, useLive } from './live';
import type { Whole } from './whole';

interface LiveQuery<Data> {
  /** The last answer; after a change of variables the previous one, until the new one arrives. */
  data: Whole<Data> | undefined;
  error: CombinedError | undefined;
  isLoading: boolean;
  /** The data answers these variables, perhaps out of the cache. */
  isAnswer: boolean;
  /** It does, it is the server's, and no other answer is on its way. */
  isFresh: boolean;
  /** Poll interval, for changes without an event. */
  readAgain(): void;
}

/**
 * A query whose data stays current: it is read again after each change that concerns it, and after a broken connection.
 *
 * @param concerns which changes affect the answer; default: all
 */
export function useLiveQuery<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  concerns: (change: NonNullable<Change>) => boolean = () => true,
): LiveQuery<Data> {
  const [{ data, error, fetching, stale, operation }, execute] = useQuery<Data, Variables>({
    query,
    variables,
  });
  const { listen } = useLive();
  const latest = useRef({ execute, concerns });
  latest.current = { execute, concerns };

  useEffect(() => {
    const pace = paced(() => latest.current.execute({ requestPolicy: 'network-only' }));
    const unlisten = listen((change) => {
      if (change === null || latest.current.concerns(change)) pace.call();
    });
    return () => {
      unlisten();
      pace.cancel();
    };
  }, [listen]);

  // After a change of variables urql first gives the answer to the old ones again.
  const isAnswer = data !== undefined && operation?.key === createRequest(query, variables).key;
  const last = useRef<Whole<Data> | undefined>(undefined);
  if (data !== undefined) last.current = data as Whole<Data>;
  const readAgain = useCallback(() => latest.current.execute({ requestPolicy: 'network-only' }), []);
  return {
    data: last.current,
    error,
    isLoading: fetching,
    isAnswer,
    isFresh: isAnswer && !fetching && !stale,
    readAgain,
  };
}

const FIRST_GAP_MS = 80;
const LONGEST_GAP_MS = 2_000;

/**
 * Runs the first call at once. While calls keep coming, the pauses between runs grow: a single crash is shown without
 * delay, and a crash of the whole fleet does not make every open page read every dump.
 */
function paced(work: () => void): { call(): void; cancel(): void } {
  let timer: number | undefined;
  let isWanted = false;
  let gapMs = FIRST_GAP_MS;

  return {
    call() {
      if (timer !== undefined) {
        isWanted = true;
        return;
      }
      work();
      rest();
    },
    cancel: () => window.clearTimeout(timer),
  };

  function rest(): void {
    timer = window.setTimeout(() => {
      timer = undefined;
      if (!isWanted) {
        gapMs = FIRST_GAP_MS;
        return;
      }
      isWanted = false;
      gapMs = Math.min(LONGEST_GAP_MS, gapMs * 2);
      work();
      rest();
    }, gapMs);
  }
}
