import {
  type GraphQLField,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLOutputType,
  getNamedType,
} from 'graphql';
import { DEFAULT_SLOTS, MAX_SLOTS, SLOT_MS, TIME_UNITS } from '../../crash-groups/crash-series.js';
import { DEFAULT_PAGE } from './page-sizes.js';

type Arguments = ReadonlyMap<string, unknown>;

/** Assumed length of lists without a limit: tasks, frames and registers of a report. */
const ASSUMED_LIST_LENGTH = 8;

/**
 * How many times the selection below a field occurs in the answer, for one instance of the field, as far as the
 * document shows.
 *
 * @param page size of the page that the parent field returns
 * @returns `page` applies to the lists directly below the field
 */
export function sizesOf(
  definition: GraphQLField<unknown, unknown> | undefined,
  args: Arguments,
  page: number | null,
): { times: number; page: number | null } {
  if (definition === undefined) return { times: 1, page: null };
  const own = pageSize(definition, args);
  if (!isList(definition.type)) return { times: 1, page: own };
  return {
    times:
      own ??
      page ??
      idCount(definition, args) ??
      slots(getNamedType(definition.type).name, args) ??
      ASSUMED_LIST_LENGTH,
    page: null,
  };
}

function isList(type: GraphQLOutputType): boolean {
  return type instanceof GraphQLNonNull ? isList(type.ofType) : type instanceof GraphQLList;
}

/** The page size of connections, and of other fields with `first`. */
function pageSize(definition: GraphQLField<unknown, unknown>, args: Arguments): number | null {
  const first = definition.args.find(({ name }) => name === 'first');
  if (first === undefined) return null;
  const size = args.get('first') ?? args.get('last') ?? first.defaultValue ?? DEFAULT_PAGE;
  return typeof size === 'number' ? Math.max(size, 0) : DEFAULT_PAGE;
}

/** The length of a list that has an item for each of the given ids. */
function idCount(definition: GraphQLField<unknown, unknown>, args: Arguments): number | null {
  if (!definition.args.some(({ name }) => name === 'ids')) return null;
  const ids = args.get('ids');
  return Array.isArray(ids) ? ids.length : 1;
}

/** The length of a time series, which has an entry for each hour or day. */
function slots(type: string, args: Arguments): number | null {
  if (type !== 'CrashBucket') return null;
  const unit = TIME_UNITS.find((known) => known === args.get('by'));
  const [from, to] = [args.get('from'), args.get('to')];
  if (unit === undefined) return MAX_SLOTS;
  if (from == null) return DEFAULT_SLOTS[unit];
  const span = Date.parse(to == null ? new Date().toISOString() : String(to)) - Date.parse(String(from));
  // Invalid dates and ranges that are too long are refused later.
  return Number.isFinite(span)
    ? Math.min(Math.max(Math.ceil(span / SLOT_MS[unit]) + 1, 0), MAX_SLOTS)
    : MAX_SLOTS;
}
