import type { JWTPayload } from 'jose';
import type { Role } from './principal.js';
import { sha256 } from './static-tokens.js';

/** The identity in a verified token of the issuer. */
export type Claimed =
  | { kind: 'device'; modelCode: string; deviceKey: string }
  | { kind: Role; name: string; subject: string | undefined }
  /** Known to the issuer, but without a role in Coredock. */
  | { kind: 'nobody'; name: string };

/** A model code has no "-", so the parts are unambiguous. */
const DEVICE = /^iotdevice-(?<modelCode>[a-z0-9_]{1,32})-(?<deviceKey>[a-z0-9]{1,32})$/;

/**
 * A device stays a device, whatever roles its token has. Of several roles the first of admin, viewer and uploader counts.
 *
 * @param rolesClaim see `rolesOf`
 */
export function readClaims(claims: JWTPayload, rolesClaim: string): Claimed {
  const { modelCode, deviceKey } = DEVICE.exec(textOf(claims.azp))?.groups ?? {};
  if (modelCode !== undefined && deviceKey !== undefined) return { kind: 'device', modelCode, deviceKey };
  const name = nameOf(claims);
  // A malformed client name of a device: roles must not turn it into a person.
  if (textOf(claims.azp).startsWith('iotdevice-')) return { kind: 'nobody', name };
  const roles = rolesOf(claims, rolesClaim);
  const kind = ROLES.find((role) => roles.includes(role));
  return kind === undefined ? { kind: 'nobody', name } : { kind, name, subject: subjectOf(claims) };
}

const ROLES: readonly Role[] = ['admin', 'viewer', 'uploader'];

/** Of bounded length, and another one at another issuer. */
function subjectOf({ iss, sub }: JWTPayload): string | undefined {
  return textOf(sub) === '' ? undefined : sha256(JSON.stringify([iss, sub]));
}

/**
 * The claim is a path ("realm_access.roles"), or one name with dots ("https://example.com/roles"). Its value is a list,
 * or one string of words.
 */
function rolesOf(claims: JWTPayload, rolesClaim: string): string[] {
  const value = Object.hasOwn(claims, rolesClaim)
    ? claims[rolesClaim]
    : rolesClaim.split('.').reduce<unknown>(member, claims);
  if (typeof value === 'string') return value.split(/\s+/);
  return Array.isArray(value) ? value.filter((role) => typeof role === 'string') : [];
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}

/**
 * For audit and logs, and whose a comment, a view or a session is where the token has no subject: the first name that the token has, in any script, of
 * bounded length. Different names stay different.
 */
function nameOf({ preferred_username, azp, client_id, sub }: JWTPayload): string {
  const name = [preferred_username, sub, azp, client_id].map(textOf).find((text) => text !== '') ?? 'unnamed';
  const shown = [...name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')].slice(0, MAX_NAME).join('');
  return shown === name ? name : `${shown} (${sha256(name).slice(0, 8)})`;
}

const MAX_NAME = 80;

/** A text of a token, for logs and messages: printable and of bounded length. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

/** The audiences that a token names. */
export function audiencesOf({ aud }: JWTPayload): readonly string[] {
  if (aud === undefined) return [];
  return typeof aud === 'string' ? [aud] : aud;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
