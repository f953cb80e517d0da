import type { BootReport } from '../devices/boot-counters.js';
import { badInput } from '../errors.js';
import { label, optional } from './device-claim.js';

/** Names in a JSON body; others are for later versions and are ignored. */
const NAMES = [
  ...['device_key', 'device_serial', 'model', 'firmware_version', 'chip'],
  ...['elf_sha256', 'reset_reason', 'uptime_s', 'crash_pending'],
];
/** Those that may be no text. A serial or version that is a number would lose digits: 1.10 is 1.1. */
const TYPES: Readonly<Record<string, string>> = { uptime_s: 'number', crash_pending: 'boolean' };

/** The parameters of the query string and of a JSON body together. @throws DomainError BAD_USER_INPUT */
export function readBootParameters(search: string, body: string): URLSearchParams {
  const parameters = new URLSearchParams(search);
  if (body.trim() === '') return parameters;
  for (const [name, value] of Object.entries(objectIn(body))) {
    if (!NAMES.includes(name) || value === null) continue;
    if (typeof value !== 'string' && typeof value !== TYPES[name]) {
      throw badInput(
        `${name} must be ${TYPES[name] === undefined ? '' : `a ${TYPES[name]} or `}a text, in quotes.`,
      );
    }
    // In a query string it would be a "+".
    if (String(value).includes(' ')) throw badInput(`${name} must be without blanks.`);
    parameters.append(name, String(value));
  }
  return parameters;
}

/** @throws DomainError BAD_USER_INPUT */
export function readBootReport(parameters: URLSearchParams): BootReport {
  const firmwareVersion = label(parameters, 'firmware_version');
  const chip = parameters.has('chip') ? label(parameters, 'chip') : null;
  const elfSha256 = matching(
    parameters,
    'elf_sha256',
    /^[0-9a-f]{1,64}$/i,
    'must be 1 to 64 hexadecimal digits',
  );
  const resetReason = matching(
    parameters,
    'reset_reason',
    /^[a-z][a-z0-9_]{0,31}$/,
    'must be ESP-IDF’s name without ESP_RST_, in lower case, for example "poweron" or "task_wdt"',
  );
  const uptime = matching(parameters, 'uptime_s', /^\d{1,10}(\.\d{1,20})?$/, 'must be a number of seconds');
  const crashPending = matching(parameters, 'crash_pending', /^(true|false)$/, 'must be true or false');
  // ESP-IDF leaves zeros where the build has no hash.
  const isBuild = elfSha256 !== null && /[^0]/.test(elfSha256);
  return {
    ...{ firmwareVersion, chip, resetReason },
    elfSha256: isBuild ? elfSha256.toLowerCase() : null,
    uptimeSeconds: uptime === null ? null : plausible(Math.floor(Number(uptime))),
    crashPending: crashPending === null ? null : crashPending === 'true',
  };
}

/** Ten years: a device whose memory held noise instead of a time would be all that is seen of a version. */
const LONGEST_RUN_S = 10 * 365 * 86_400;

function plausible(seconds: number): number | null {
  return seconds <= LONGEST_RUN_S ? seconds : null;
}

function matching(parameters: URLSearchParams, name: string, pattern: RegExp, rule: string): string | null {
  const value = optional(parameters, name);
  if (value !== null && !pattern.test(value)) throw badInput(`${name} ${rule}.`);
  return value;
}

function objectIn(body: string): object {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // As any other body.
  }
  throw badInput(
    'The body is not a JSON object: send one, or the parameters in the query string without a body.',
  );
}
