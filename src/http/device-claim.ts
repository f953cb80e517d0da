import type { DeviceClaim } from '../auth/device-credentials.js';
import { badInput } from '../errors.js';

/** What the parameters say about the device, beside the credentials. @throws DomainError BAD_USER_INPUT */
export function claimOf(query: URLSearchParams): DeviceClaim {
  return {
    deviceKey: optional(query, 'device_key'),
    modelCode: optional(query, 'model'),
    serial: optional(query, 'device_serial'),
  };
}

/** A version or chip. @throws DomainError BAD_USER_INPUT */
export function label(query: URLSearchParams, name: string): string {
  const value = labelOf(only(query, name));
  if (value === null) throw badInput(`${name} ${LABEL_RULE}.`);
  return value;
}

export const LABEL_RULE = 'must be 1 to 64 of A-Z, a-z, 0-9, ".", "_", "+" and "-", without ".."';

/** Null when it is no version or chip. */
export function labelOf(value: string): string | null {
  return /^[A-Za-z0-9._+-]{1,64}$/.test(value) && !value.includes('..') ? value : null;
}

/** Null when it is absent. @throws DomainError BAD_USER_INPUT when it is given more than once */
export function optional(query: URLSearchParams, name: string): string | null {
  return query.has(name) ? only(query, name) : null;
}

function only(query: URLSearchParams, name: string): string {
  const [value, ...more] = query.getAll(name);
  if (value === undefined) throw badInput(`${name} is missing in the query string.`);
  if (more.length > 0) throw badInput(`${name} is given more than once.`);
  // "+" is literal in versions ("1.2.3+build5"), but URLSearchParams decodes it as a blank.
  return value.replaceAll(' ', '+');
}
