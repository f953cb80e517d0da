import { randomToken } from './static-tokens.js';

/** Makes a key recognizable in logs, and to scanners of secrets. */
const PREFIX = 'cdk_';
/** A device's token has 43 characters, so that the two cannot be confused. */
const INGEST_KEY = /^cdk_[\w-]{43}$/;

export function newIngestKey(): string {
  return `${PREFIX}${randomToken()}`;
}

/** Whether a bearer token has the form of an ingest key. */
export function isIngestKey(token: string): boolean {
  return INGEST_KEY.test(token);
}
