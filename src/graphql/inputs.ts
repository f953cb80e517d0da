import { notFound } from '../errors.js';
import { decodeGlobalId, MAX_ROW_ID } from '../ids.js';

type Present<Input> = { [Key in keyof Input as undefined extends Input[Key] ? never : Key]: Input[Key] } & {
  [Key in keyof Input as undefined extends Input[Key] ? Key : never]?: NonNullable<Input[Key]>;
};

/** An input without what is null or left out: services know absence, not null. */
export function present<Input extends object>(input: Input): Present<Input> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value != null)) as Present<Input>;
}

/** For `node(id)`: an id that cannot be one of ours names the row 0, which never is. */
export function rowOf(id: string): { id: number } {
  const number = /^\d{1,10}$/.test(id) ? Number(id) : 0;
  return { id: number <= MAX_ROW_ID ? number : 0 };
}

const NOUNS = { Coredump: 'core dump', Device: 'device', Firmware: 'firmware' } as const;

/** The number in a global id. @throws DomainError NOT_FOUND for an id of another type, or none at all */
export function requireId(type: keyof typeof NOUNS, globalId: string | number): number {
  const id = decodeGlobalId(type, String(globalId));
  if (id === null) throw notFound(NOUNS[type], String(globalId).slice(0, 64));
  return id;
}
