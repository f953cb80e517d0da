import { randomInt } from 'node:crypto';
import { badInput, conflict } from '../errors.js';
import { isUniqueViolation } from '../platform/database/errors.js';

const SERIAL = /^[A-Za-z0-9._:-]{1,64}$/;
const KEY = /^[a-z0-9]{1,32}$/;
const KEY_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Eight characters. Their number makes a collision unlikely, and the unique column refuses it. */
export function randomKey(): string {
  return Array.from({ length: 8 }, () => KEY_ALPHABET[randomInt(KEY_ALPHABET.length)]).join('');
}

/** @throws DomainError BAD_USER_INPUT */
export function requireKey(key: string, field = 'key'): void {
  if (!KEY.test(key)) throw badInput('A device key is 1 to 32 of a-z and 0-9.', { field });
}

/** @throws DomainError BAD_USER_INPUT */
export function requireSerial(serial: string, field = 'serial'): void {
  if (!SERIAL.test(serial))
    throw badInput('A serial is 1 to 64 of A-Z, a-z, 0-9, ".", "_", ":" and "-".', { field });
}

/** @throws DomainError BAD_USER_INPUT */
export function requireName(name: string, field = 'name'): void {
  if (name.trim() === '' || name.length > 200 || /[\t\r\n]/.test(name))
    throw badInput('A name is 1 to 200 characters on one line.', { field });
}

/** For `catch`: a unique column refused the value of `field`. */
export function conflictWhenTaken(field: string, message: string) {
  return (error: unknown): never => {
    throw isUniqueViolation(error) ? conflict(message, { field }) : error;
  };
}
