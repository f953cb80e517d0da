import type { IncomingMessage } from 'node:http';

/** What a request asks for. */
export interface RequestTarget {
  url: URL;
  /** The host that the target itself names, as requests to a proxy do (RFC 9112 §3.2.2); null where it is a path. */
  host: string | null;
}

/** @returns null for a target that is neither a path nor an http address */
export function readTarget({ url: target = '' }: Pick<IncomingMessage, 'url'>): RequestTarget | null {
  // Put together rather than resolved: in `//evil.example/x` a resolver would find a host, and there is none.
  if (target.startsWith('/')) return targetOf(`http://localhost${target}`, false);
  return /^https?:\/\//i.test(target) ? targetOf(target, true) : null;
}

function targetOf(address: string, namesHost: boolean): RequestTarget | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  return { url, host: namesHost ? url.host : null };
}
