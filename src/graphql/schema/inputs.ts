import { badInput, notFound } from '../../errors.js';
import { decodeGlobalId, MAX_ROW_ID } from '../../global-ids.js';

type Present<Input> = { [Key in keyof Input as undefined extends Input[Key] ? never : Key]: Input[Key] } & {
  [Key in keyof Input as undefined extends Input[Key] ? Key : never]?: NonNullable<Input[Key]>;
};

/** Removes fields that are null: services expect an absent field instead. */
export function present<Input extends object>(input: Input): Present<Input> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value != null)) as Present<Input>;
}

/** Longer searches are slow without a benefit. The lengths of lists are limited in `argument-limits.ts`. */
const MAX_SEARCH_LENGTH = 200;
const MAX_SEARCH_WORDS = 10;

/** The filter in the form of the services. @throws DomainError BAD_USER_INPUT when it is too large; names the limit */
export function checkedFilter<Input extends object>(input: Input): Present<Input> {
  const texts: { search?: unknown; reason?: unknown } = input;
  for (const name of ['search', 'reason'] as const) {
    const text = texts[name];
    if (typeof text !== 'string') continue;
    if (text.length > MAX_SEARCH_LENGTH || text.trim().split(/\s+/).length > MAX_SEARCH_WORDS) {
      throw badInput(`A search has at most ${MAX_SEARCH_LENGTH} characters and ${MAX_SEARCH_WORDS} words.`, {
        field: `filter.${name}`,
      });
    }
  }
  return present(input);
}

/** For `node(id)`: an id that is not valid becomes 0, which no row has. */
export function rowIdOf(id: string): number {
  const number = /^\d{1,10}$/.test(id) ? Number(id) : 0;
  return number <= MAX_ROW_ID ? number : 0;
}

const NOUNS = {
  AlertRule: 'alert rule',
  Coredump: 'core dump',
  CrashGroup: 'crash group',
  Device: 'device',
  DeviceModel: 'device model',
  Firmware: 'firmware',
  GroupActivity: 'comment',
  IngestKey: 'ingest key',
  Tag: 'tag',
  TagRule: 'tag rule',
  SavedView: 'saved view',
  ShareLink: 'share link',
} as const;

/** The numbers in global ids of a filter. Ids of other types, and invalid ones, match nothing: they are left out. */
export function rowIdsOf(type: keyof typeof NOUNS, globalIds: ReadonlyArray<string | number>): number[] {
  return globalIds.map((id) => decodeGlobalId(type, String(id))).filter((id) => id !== null);
}

/**
 * The number in a global id.
 *
 * @param field the argument, or the member of a mutation's `input`
 * @throws DomainError NOT_FOUND for an id of another type, or an invalid one
 */
export function requireId(type: keyof typeof NOUNS, globalId: string | number, field = 'id'): number {
  const id = decodeGlobalId(type, String(globalId));
  if (id === null) throw notFound(NOUNS[type], String(globalId).slice(0, 64), { field });
  return id;
}

/**
 * A version or chip as devices name them; null when it is left out.
 * @throws DomainError BAD_USER_INPUT
 */
export function label(value: string | null | undefined, field: string): string | null {
  if (value == null) return null;
  if (/^[A-Za-z0-9._+-]{1,64}$/.test(value) && !value.includes('..')) return value;
  throw badInput(`It must be 1 to 64 of A-Z, a-z, 0-9, ".", "_", "+" and "-", without "..".`, { field });
}
