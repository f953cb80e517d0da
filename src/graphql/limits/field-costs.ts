import { DEFAULT_SLOTS, MAX_SLOTS, SLOT_MS, type TIME_UNITS } from '../../crash-groups/crash-series.js';
import { MAX_NEW_DEVICES } from '../../devices/create-devices.js';
import { MAX_ADOPTION_DAYS } from '../../releases/adoption.js';
import { DEFAULT_PAGE, MAX_PAGE } from './page-sizes.js';

/*
 * What does a field cost? One for itself, and its selection times the items that it can have (`multiplier`). Whoever
 * defines a field with many items gives it a `complexity` beside its type, mostly one of these functions. A list
 * without one counts as `ASSUMED_LIST_LENGTH` items.
 */

/** A field's own cost, and how often its selection occurs in the answer. */
interface Cost {
  field: number;
  multiplier: number;
}

/** Length of lists without a limit of their own: tasks, frames and registers of a report. */
export const ASSUMED_LIST_LENGTH = 8;

/** A search for words reads the texts of many rows, although the answer has few. */
const SEARCH_COST = 2_000;

/** A part of an answer whose items were counted with the field around it. */
export const COUNTED_ABOVE: Cost = { field: 0, multiplier: 1 };

/** A part of an answer that costs nothing, whatever is selected of it. */
export const FREE: Cost = { field: 0, multiplier: 0 };

/**
 * A connection: the field with its page, then as many nodes as the page can have. The number of all items and the page's
 * cursors are not counted once more.
 */
export function connectionCost({
  first,
  last,
  filter,
}: {
  first?: number | null | undefined;
  last?: number | null | undefined;
  filter?: unknown;
}): Cost {
  return {
    field: 2 + (isSearch(filter) ? SEARCH_COST : 0),
    multiplier: within(first ?? last ?? DEFAULT_PAGE, MAX_PAGE),
  };
}

/** A list of at most `first` items. */
export function firstCost({ first }: { first?: number | null | undefined }): Cost {
  return { field: 1, multiplier: within(first ?? DEFAULT_PAGE, MAX_PAGE) };
}

/** Of each kind that a search finds so many: counted here, because the lists of hits below have no size to count by. */
export function kindsCost({ first }: { first?: number | null | undefined }): Cost {
  return { field: 1, multiplier: SEARCH_KINDS * firstCost({ first }).multiplier };
}

const SEARCH_KINDS = 5;

/** The search for a search box; the pages of each kind count below it. A function, so that its arguments are checked. */
export function searchCost(): Cost {
  return { field: 1 + SEARCH_COST, multiplier: 1 };
}

/** A list with an item for each of the last days. */
export function daysCost({ days }: { days?: number | null | undefined }): Cost {
  return { field: 1, multiplier: within(days ?? DEFAULT_SLOTS.DAY, MAX_ADOPTION_DAYS) };
}

/** A preview reads the reports of many dumps, although the answer has few. */
export const PREVIEW: Cost = { field: 1 + SEARCH_COST, multiplier: 1 };

/** A list with an item for each id. */
export function idsCost({ ids }: { ids: readonly unknown[] }): Cost {
  return { field: 1, multiplier: within(ids.length, MAX_PAGE) };
}

/** The devices that one mutation creates. */
export const NEW_DEVICES: Cost = { field: 1, multiplier: MAX_NEW_DEVICES };

/** A time series, which has an entry for each hour or day. */
export function seriesCost({
  unit,
  from,
  to,
}: {
  unit: (typeof TIME_UNITS)[number];
  from?: Date | null | undefined;
  to?: Date | null | undefined;
}): Cost {
  if (from == null) return { field: 1, multiplier: DEFAULT_SLOTS[unit] };
  const spanMs = (to ?? new Date()).getTime() - from.getTime();
  // Ranges that are too long are refused later.
  return { field: 1, multiplier: within(Math.ceil(spanMs / SLOT_MS[unit]) + 1, MAX_SLOTS) };
}

/**
 * Series of crashes: at most `first` and the rest, with all their buckets. Those are counted here, because their number is
 * not known below.
 */
export function breakdownCost({
  unit,
  from,
  to,
  first,
}: {
  unit: (typeof TIME_UNITS)[number];
  from?: Date | null | undefined;
  to?: Date | null | undefined;
  first?: number | null | undefined;
}): Cost {
  const series = firstCost({ first }).multiplier;
  const buckets = seriesCost({ unit, from, to }).multiplier;
  return { field: 1 + (series + 1) * buckets * FIELDS_OF_BUCKET, multiplier: series };
}

/** The start and the count. */
const FIELDS_OF_BUCKET = 2;

function isSearch(filter: unknown): boolean {
  if (typeof filter !== 'object' || filter === null) return false;
  const { search, reason }: { search?: unknown; reason?: unknown } = filter;
  return search != null || reason != null;
}

function within(count: number, max: number): number {
  return Math.min(Math.max(count, 0), max);
}
