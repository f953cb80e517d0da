import type { IncomingMessage } from 'node:http';

/** What a request asks for. */
export interface RequestTarget {
  /** As a URL parser writes it: without dot segments, backslashes and the like. */
  path: string;
  /** What follows the path, from its question mark on; empty without one. Only who needs the query parses it. */
  search: string;
  /** The host that the target itself names, as requests to a proxy do (RFC 9112 §3.2.2); null where it is a path. */
  host: string | null;
}

/** A path that no URL parser changes, as those of devices are: it needs none. */
const CANONICAL_PATH = /^\/[\w/=-]*$/;

/** @returns null for a target that is neither a path nor an http address */
export function readTarget({ url: target = '' }: Pick<IncomingMessage, 'url'>): RequestTarget | null {
  const pathEnd = target.indexOf('?');
  const path = pathEnd === -1 ? target : target.slice(0, pathEnd);
  if (CANONICAL_PATH.test(path) && !target.includes('#')) {
    return { path, search: pathEnd === -1 ? '' : target.slice(pathEnd), host: null };
  }
  // Put together rather than resolved: in `//evil.example/x` a resolver would find a host, and there is none.
  if (target.startsWith('/')) return parsed(`http://localhost${target}`, false);
  return /^https?:\/\//i.test(target) ? parsed(target, true) : null;
}

function parsed(address: string, namesHost: boolean): RequestTarget | null {
  if (!URL.canParse(address)) return null;
  const { pathname, search, host } = new URL(address);
  return { path: pathname, search, host: namesHost ? host : null };
}
