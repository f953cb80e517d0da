import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useLive } from '../api/live';

export interface CalmList<Row> {
  /** The rows in the order in which they were first shown, each as it is now. */
  rows: readonly Row[];
  /** Ids of rows that were deleted, or that no longer belong to the list, since they were shown. */
  gone: ReadonlySet<string>;
  /** How many rows of the page are not shown. */
  arrived: number;
  /** The shown rows have another order now. */
  isReordered: boolean;
  /** Shows the list as it is now. */
  show(): void;
}

interface Shown<Row> {
  key: string;
  /** False: the rows are not those of this question yet. */
  isSettled: boolean;
  ids: readonly string[];
  /** After a change of the reader's own: the answer from before it. The next one is shown. */
  outdated: readonly Row[] | undefined;
}

/**
 * A list that does not move under the reader's pointer: what arrives is counted, what changes is changed in its row, and
 * what is deleted stays in its place, marked as gone, until the reader asks for the list as it is. A new question, a
 * change of the reader's own, and an empty list are shown at once.
 *
 * @param answer the rows as the server has them now
 * @param key of the question: filters, order and page
 * @param isAnswer whether `answer` is to this question, perhaps out of the page's memory
 * @param isFresh whether it is what the server says now
 * @param pageSize rows of a full page: behind it others may be
 */
export function useCalmList<Row extends { id: string }>(
  answer: readonly Row[] | undefined,
  {
    key,
    isAnswer,
    isFresh,
    pageSize,
  }: { key: string; isAnswer: boolean; isFresh: boolean; pageSize: number },
): CalmList<Row> {
  const [, redraw] = useState(0);
  const deleted = useDeleted();
  // A deletion is known before the answer without the row is there.
  const latest = useMemo(() => answer?.filter(({ id }) => !deleted.has(id)), [answer, deleted]);
  const shown = useRef<Shown<Row>>({ key, isSettled: false, ids: [], outdated: undefined });
  const newest = useRef(answer);
  newest.current = answer;
  const known = useRef(new Map<string, Row>());
  const { listenToOwn } = useLive();

  const show = useCallback(() => {
    shown.current = { ...shown.current, isSettled: false };
    redraw((count) => count + 1);
  }, []);
  useEffect(
    () =>
      listenToOwn(() => {
        shown.current = { ...shown.current, outdated: newest.current };
      }),
    [listenToOwn],
  );

  if (shown.current.key !== key)
    shown.current = { key, isSettled: false, ids: shown.current.ids, outdated: undefined };
  if (latest !== undefined) {
    for (const row of latest) known.current.set(row.id, row);
    const { outdated } = shown.current;
    const isAwaited = outdated !== undefined && answer !== outdated;
    if (!shown.current.isSettled || isAwaited || shown.current.ids.length === 0) {
      shown.current = {
        key,
        isSettled: isAnswer,
        ids: latest.map(({ id }) => id),
        outdated: isAwaited && isFresh ? undefined : outdated,
      };
      known.current = new Map(latest.map((row) => [row.id, row]));
    }
  }

  const { ids } = shown.current;
  const rows = ids.map((id) => known.current.get(id)).filter((row) => row !== undefined);
  const now = new Set(latest?.map(({ id }) => id));
  const isWhole = answer !== undefined && answer.length < pageSize;
  const gone = new Set(ids.filter((id) => deleted.has(id) || (isWhole && !now.has(id))));
  const shownIds = new Set(ids);
  const kept = latest?.filter(({ id }) => shownIds.has(id)).map(({ id }) => id) ?? [];
  return {
    rows,
    gone,
    arrived: (latest?.length ?? 0) - kept.length,
    isReordered: kept.join() !== ids.filter((id) => now.has(id)).join(),
    show,
  };
}

/** Ids of what was deleted while the page was open. */
function useDeleted(): ReadonlySet<string> {
  const { listen } = useLive();
  const [deleted, setDeleted] = useState<ReadonlySet<string>>(new Set());
  useEffect(
    () =>
      listen((change) => {
        if (change?.isDeleted === true) setDeleted((before) => new Set([...before, change.id]));
      }),
    [listen],
  );
  return deleted;
}
