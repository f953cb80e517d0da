/** Which tail calls lead from one function to another, when the debug information allows several ways. */

/** A call at the end of a function, which replaces the frame of the function by that of the target. */
export interface TailCall<Site> {
  site: Site;
  /** Entry points. */
  from: number;
  to: number;
}

/** Tail calls of the function that begins at `entry`. Throws when they are not all known. */
export type TailCallsOf<Site> = (entry: number) => readonly TailCall<Site>[];

/**
 * The calls that every way from the function at `from` to the one at `to` has, in their order: the common beginning of
 * all ways, then their common end. A way may go in circles, so the ways are not listed: there may be endlessly many, or
 * exponentially many. Null when there are more than `limit` calls to look at.
 */
export function callsOfEveryWay<Site>(
  from: number,
  to: number,
  tailCallsOf: TailCallsOf<Site>,
  limit: number,
): Site[] | null {
  if (from === to) return [];
  const all = reachableCalls(from, to, tailCallsOf, limit);
  if (all === null) return null;
  const ways = callsThatLeadTo(to, all);
  const shortest = shortestWay(from, to, ways.leaving);
  if (shortest === null) return [];

  let first = 0;
  for (const call of shortest) {
    // At the first fork the ways part.
    if (ways.leaving.get(call.from)?.length !== 1) break;
    first += 1;
  }
  let last = 0;
  for (const call of shortest.toReversed()) {
    if (ways.entering.get(call.to)?.length !== 1) break;
    last += 1;
    // A way may also begin here.
    if (call.from === from) break;
  }
  const taken =
    first + last >= shortest.length
      ? shortest
      : [...shortest.slice(0, first), ...shortest.slice(shortest.length - last)];
  return taken.map(({ site }) => site);
}

type CallsByEntry<Site> = Map<number, TailCall<Site>[]>;

/** Ways end at `to` when they get there first, so its own tail calls do not matter. */
function reachableCalls<Site>(
  from: number,
  to: number,
  tailCallsOf: TailCallsOf<Site>,
  limit: number,
): TailCall<Site>[] | null {
  const calls: TailCall<Site>[] = [];
  const seen = new Set<number>([from, to]);
  const open = [from];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    for (const call of tailCallsOf(entry)) {
      calls.push(call);
      if (calls.length > limit) return null;
      if (seen.has(call.to)) continue;
      seen.add(call.to);
      open.push(call.to);
    }
  }
  return calls;
}

/** Only the calls behind which the end can still be reached. */
function callsThatLeadTo<Site>(to: number, calls: readonly TailCall<Site>[]) {
  const entering = groupBy(calls, (call) => call.to);
  const leading = new Set<number>([to]);
  const open = [to];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    for (const { from } of entering.get(entry) ?? []) {
      if (leading.has(from)) continue;
      leading.add(from);
      open.push(from);
    }
  }
  const ways = calls.filter((call) => leading.has(call.to));
  return { leaving: groupBy(ways, (call) => call.from), entering: groupBy(ways, (call) => call.to) };
}

function shortestWay<Site>(from: number, to: number, leaving: CallsByEntry<Site>): TailCall<Site>[] | null {
  const reachedBy = new Map<number, TailCall<Site>>();
  let edge = [from];
  while (edge.length > 0 && !reachedBy.has(to)) {
    const next: number[] = [];
    for (const call of edge.flatMap((entry) => leaving.get(entry) ?? [])) {
      if (call.to === from || reachedBy.has(call.to)) continue;
      reachedBy.set(call.to, call);
      next.push(call.to);
    }
    edge = next;
  }
  const way: TailCall<Site>[] = [];
  for (let call = reachedBy.get(to); call !== undefined; call = reachedBy.get(call.from)) way.unshift(call);
  return way.length === 0 ? null : way;
}

function groupBy<Site>(
  calls: readonly TailCall<Site>[],
  key: (call: TailCall<Site>) => number,
): CallsByEntry<Site> {
  const groups: CallsByEntry<Site> = new Map();
  for (const call of calls) {
    const group = groups.get(key(call));
    if (group === undefined) groups.set(key(call), [call]);
    else group.push(call);
  }
  return groups;
}
