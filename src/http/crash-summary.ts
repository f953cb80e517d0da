import * as z from 'zod';
import { badInput, type DomainError } from '../errors.js';
import { LABEL_RULE, label, labelOf, optional } from './device-claim.js';

/** Of a request to `/api/iot/crash`. */
export const MAX_SUMMARY_BYTES = 16 * 1024;
const MAX_ADDRESSES = 64;
const MAX_REGISTERS = 64;
const MAX_REASON = 1_000;
const MAX_TASK = 64;
const MAX_STACK_BYTES = 8 * 1024;
const MAX_LOG_BYTES = 8 * 1024;

/** Names in the JSON that say which device it is, as in the query string. */
const IDENTITY = ['device_key', 'device_serial', 'model'];
const LABELS = ['chip', 'firmware_version'];

const text = (maxLength: number) => {
  const rule = `must be a text of 1 to ${maxLength} characters`;
  return z.string(rule).min(1, rule).max(maxLength, rule);
};

const ADDRESS_RULE = 'must be an address as a text, such as "0x400d1234"';
/** "0x400D1234" and "0x400d1234" are the same crash. */
const address = z
  .string(ADDRESS_RULE)
  .regex(/^0x[0-9a-f]{1,8}$/i, ADDRESS_RULE)
  .transform((value) => `0x${value.slice(2).toLowerCase().padStart(8, '0')}`);

const STACK_RULE = `must be base64 of 1 to ${MAX_STACK_BYTES} bytes`;
const stackData = z
  .string(STACK_RULE)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, STACK_RULE)
  .transform((value) => Buffer.from(value, 'base64'))
  .refine((bytes) => bytes.length > 0 && bytes.length <= MAX_STACK_BYTES, STACK_RULE)
  .transform((bytes) => bytes.toString('base64'));

const LOG_RULE = `must be a text, or a list of lines, of at most ${MAX_LOG_BYTES} bytes`;
const logText = z
  .union([z.string(), z.array(z.string()).transform((lines) => lines.join('\n'))], LOG_RULE)
  .refine((lines) => Buffer.byteLength(lines) <= MAX_LOG_BYTES, LOG_RULE);

const REGISTER_RULE = 'must be a text such as "0x800d1234", or a whole number of 32 bits';
/** A cause is a small number for who writes one by hand. */
const register = z.union(
  [
    address,
    z
      .int()
      .min(0)
      .max(0xffffffff)
      .transform((value) => `0x${value.toString(16).padStart(8, '0')}`),
  ],
  REGISTER_RULE,
);

const registers = z
  .record(z.string(), register, 'must be an object of names and addresses, such as {"a0": "0x800d1234"}')
  .refine(
    (all) => Object.keys(all).every((name) => /^[A-Za-z0-9_/]{1,16}$/.test(name)),
    'must have names of 1 to 16 letters, digits, "_" and "/"',
  )
  .refine((all) => Object.keys(all).length <= MAX_REGISTERS, `has more than ${MAX_REGISTERS} registers`);

/** Read beside those of the address, by `parametersOf`. */
const told = z.string(LABEL_RULE).refine((value) => value === '' || labelOf(value) !== null, LABEL_RULE);

/** A field that is null is left out. Fields that are not here are for later versions, and are ignored. */
const summary = z.object({
  reason: text(MAX_REASON).nullish(),
  task: text(MAX_TASK).nullish(),
  pc: address.nullish(),
  backtrace: z
    .array(address, `must be a list of addresses, such as ["0x400d1234"]`)
    .max(MAX_ADDRESSES, `has more than ${MAX_ADDRESSES} addresses`)
    .nullish(),
  corrupted: z.boolean('must be true or false').nullish(),
  registers: registers.nullish(),
  elf_sha256: z
    .string()
    .regex(/^[0-9a-f]{1,64}$/i, 'must be 1 to 64 hexadecimal digits')
    .transform((digits) => digits.toLowerCase())
    .nullish(),
  firmware_version: told.nullish(),
  chip: told.nullish(),
  stack: z.object({ address, data: stackData }, 'must be an object of address and data').nullish(),
  log: logText.nullish(),
});

/** A summary of a crash as it is stored. */
export interface CrashSummary {
  /** Null when the device did not say it. */
  chip: string | null;
  firmwareVersion: string | null;
  /** JSON with the known fields in one order: two requests with the same content have the same bytes. */
  json: string;
}

/** The JSON object in a body; null when it is none. */
export function objectOf(body: string): object | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

export function notAnObject(): DomainError {
  return badInput(
    'The body is not a JSON object: send the summary of a crash, such as {"reason": "LoadProhibited", "pc": "0x400d1234"}. ' +
      'A core dump or the text of a panic goes to /api/iot/coredump.',
  );
}

/** What query string and JSON say of device, chip and version together. @throws DomainError BAD_USER_INPUT */
export function parametersOf(search: string, body: object | null): URLSearchParams {
  const parameters = new URLSearchParams(search);
  for (const [name, value] of Object.entries(body ?? {})) {
    if (!(IDENTITY.includes(name) || LABELS.includes(name)) || value === null) continue;
    // A device that does not know its version has an empty one.
    if (value === '' && LABELS.includes(name)) continue;
    if (typeof value !== 'string') throw badInput(`${name} must be a text, in quotes.`);
    // In a query string it would be a "+".
    if (value.includes(' ')) throw badInput(`${name} must be without blanks.`);
    parameters.append(name, value);
  }
  return parameters;
}

/** @throws DomainError BAD_USER_INPUT, which names the field: "backtrace[3] must be an address …" */
export function summaryOf(body: object, parameters: URLSearchParams): CrashSummary {
  const chip = optional(parameters, 'chip') === null ? null : label(parameters, 'chip');
  const firmwareVersion =
    optional(parameters, 'firmware_version') === null ? null : label(parameters, 'firmware_version');
  const parsed = summary.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw badInput(`${pathOf(issue?.path ?? [])} ${issue?.message ?? 'is wrong'}.`);
  }
  const { backtrace, registers: named, ...rest } = parsed.data;
  const { reason, pc } = rest;
  if ((reason ?? '').trim() === '' && pc == null && (backtrace ?? []).length === 0) {
    throw badInput('Give at least one of reason, pc and backtrace: without them it says nothing of a crash.');
  }
  const known = {
    ...{ reason, task: rest.task, pc },
    backtrace: backtrace?.length === 0 ? null : backtrace,
    corrupted: rest.corrupted,
    registers: named == null ? null : Object.fromEntries(Object.entries(named).sort(byName)),
    elf_sha256: rest.elf_sha256,
    ...{ firmware_version: firmwareVersion, chip },
    ...{ stack: rest.stack, log: rest.log },
  };
  return { chip, firmwareVersion, json: JSON.stringify(known, (_, value) => value ?? undefined) };
}

/** "stack.data", "backtrace[3]", "registers.a0". */
function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('')
    .slice(0, 100);
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
