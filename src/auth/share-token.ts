import { randomToken } from './static-tokens.js';

/** Makes a token recognizable in logs, and to scanners of secrets. */
const PREFIX = 'cds_';
const HEADER = /^Bearer +(cds_[\w-]{43}) *$/i;

export function newShareToken(): string {
  return `${PREFIX}${randomToken()}`;
}

/** The token of a share link in an `Authorization` header; null when there is none. */
export function shareTokenIn(authorization: string | undefined): string | null {
  return HEADER.exec(authorization ?? '')?.[1] ?? null;
}
