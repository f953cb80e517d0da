import type { DeviceIdentity } from '../auth/principal.js';
import { randomToken } from '../auth/static-tokens.js';

/*
 * What the column `tokenSha256` has: the digest of the device's token, or one of two texts that no digest equals. They
 * are unique, as the column requires.
 */

const REVOKED = 'revoked:';
/** It never had one: it registered itself with an ingest key. */
const NONE = 'none:';

/** The value for a device whose tokens stop working. */
export function revokedToken(): string {
  return `${REVOKED}${randomToken()}`;
}

/** The value for a device without a token, which may use its model's ingest keys. */
export function absentToken(): string {
  return `${NONE}${randomToken()}`;
}

/** @param tokenSha256 the value in the row */
export function hasToken(tokenSha256: string): boolean {
  return tokenStateOf(tokenSha256) === 'own';
}

/** Ingest keys may speak for a device in the state `none` only: a key that all devices share must not undo a revocation. */
export function tokenStateOf(tokenSha256: string): DeviceIdentity['tokenState'] {
  if (tokenSha256.startsWith(NONE)) return 'none';
  return tokenSha256.startsWith(REVOKED) ? 'revoked' : 'own';
}
