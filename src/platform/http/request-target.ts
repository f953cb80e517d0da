import type { IncomingMessage } from 'node:http';

/** Path, query and host of a request. */
export interface RequestTarget {
  /** Normalised by a URL parser: without dot segments, backslashes and the like. */
  path: string;
  /** The query with its question mark; empty without one. Only routes that need it parse it. */
  search: string;
  /** The host in an absolute target, as in requests to a proxy (RFC 9112 §3.2.2); null for a path. */
  host: string | null;
}

/** A path that a URL parser would not change, as those of devices: it needs no parsing. */
const CANONICAL_PATH = /^\/[\w/=-]*$/;

/** @returns null for a target that is neither a path nor an http URL */
export function readTarget({ url: target = '' }: Pick<IncomingMessage, 'url'>): RequestTarget | null {
  const pathEnd = target.indexOf('?');
  const path = pathEnd === -1 ? target : target.slice(0, pathEnd);
  if (CANONICAL_PATH.test(path) && !target.includes('#')) {
    return { path, search: pathEnd === -1 ? '' : target.slice(pathEnd), host: null };
  }
  // Concatenated, not resolved: a resolver would take `evil.example` in `//evil.example/x` as the host.
  if (target.startsWith('/')) return parsed(`http://localhost${target}`, false);
  return /^https?:\/\//i.test(target) ? parsed(target, true) : null;
}

function parsed(address: string, namesHost: boolean): RequestTarget | null {
  if (!URL.canParse(address)) return null;
  const { pathname, search, host } = new URL(address);
  return { path: pathname, search, host: namesHost ? host : null };
}
