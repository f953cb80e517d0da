import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { canonicalAddress } from './client-address.js';
import type { RequestTarget } from './request-target.js';

/** Why a request is refused, in a form that every route can answer. */
export interface HostRefusal {
  status: 400 | 421;
  code: 'BAD_USER_INPUT' | 'MISDIRECTED';
  message: string;
}

export type AllowedHosts = ReturnType<typeof createAllowedHosts>;

/**
 * The host names under which clients may address this server, against DNS rebinding: if a web page's own name suddenly
 * resolves to this server, the browser sees the same origin, and only the name in its requests shows the attack. Ports
 * do not matter: rebinding changes a name's address, never its port.
 *
 * @param host where the server listens: a name or an address
 * @param publicUrl the URL for people, if configured
 * @param others names and addresses without a port
 */
export function createAllowedHosts({
  host,
  publicUrl,
  others,
}: {
  host: string;
  publicUrl: string | null;
  others: readonly string[];
}) {
  const names = [host, ...(publicUrl === null ? [] : [new URL(publicUrl).hostname]), ...others];
  const allowed = new Set(names.map((name) => hostnameOf(bracketed(name))));
  /** Clients send the same few names again and again, and parsing one costs as much as finding its route. */
  const read = new LRUCache<string, NamedHost>({ max: MAX_REMEMBERED });

  return {
    /** @returns null when the host is allowed */
    refusalOf(request: IncomingMessage, target: RequestTarget | null): HostRefusal | null {
      const headers = hostHeadersOf(request);
      if (headers.length > 1) return malformed('The request has more than one Host header.');
      // Without a Host header it is HTTP/1.0 (Node refuses it in HTTP/1.1), which probes use and browsers do not.
      const [header] = headers;
      const named = header === undefined ? null : refusalOfName(header, request);
      if (named !== null || target === null || target.host === null) return named;
      return refusalOfName(target.host, request);
    },
  };

  function refusalOfName(text: string, request: IncomingMessage): HostRefusal | null {
    const { hostname, isAlwaysAllowed } = namedHost(text);
    if (isAlwaysAllowed) return null;
    if (hostname === null) return malformed('The Host header is not a host name or address.');
    return isAddressOf(request, hostname) ? null : misdirected(hostname, request);
  }

  function namedHost(text: string): NamedHost {
    const known = read.get(text);
    if (known !== undefined) return known;
    const hostname = hostnameOf(text);
    const isAlwaysAllowed = hostname !== null && (isLoopbackName(hostname) || allowed.has(hostname));
    const named = { hostname, isAlwaysAllowed };
    if (text.length <= MAX_REMEMBERED_LENGTH) read.set(text, named);
    return named;
  }
}

interface NamedHost {
  /** Null for an invalid host. */
  hostname: string | null;
  /** False: allowed only on a connection to this same address. */
  isAlwaysAllowed: boolean;
}

const MAX_REMEMBERED = 100;
/** A DNS name with an optional port. */
const MAX_REMEMBERED_LENGTH = 260;

/** A literal address cannot be rebound, and the address of the connection is certainly ours. */
function isAddressOf({ socket }: IncomingMessage, hostname: string): boolean {
  const local = canonicalAddress(socket.localAddress?.replace(/%.*$/, ''));
  return local !== '' && addressOf(hostname) === local;
}

/** @returns whether the text is only a host: a name, or an address with or without brackets */
export function isHostName(text: string): boolean {
  const host = bracketed(text);
  return !/:\d*$/.test(host) && /^([\w.-]+|\[.*\])$/.test(hostnameOf(host) ?? '');
}

/**
 * The name in a `Host` header as browsers write it: without port and trailing dot, in lower case, addresses in their
 * shortest form.
 *
 * @returns null for an invalid host
 */
function hostnameOf(host: string): string | null {
  if (!/^(\[[\da-f:.]+\]|[^\s/\\?#@:[\]]+)(:\d*)?$/i.test(host) || !URL.canParse(`http://${host}`))
    return null;
  return new URL(`http://${host}`).hostname.replace(/\.$/, '');
}

function isLoopbackName(hostname: string): boolean {
  // RFC 6761 §6.3: names below "localhost" are loopback as well, and cannot be registered.
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return true;
  const address = addressOf(hostname);
  return address !== null && ipaddr.parse(address).range() === 'loopback';
}

/** Canonical address, IPv4-mapped IPv6 as IPv4; null for a name. */
function addressOf(hostname: string): string | null {
  return canonicalAddress(hostname.replace(/^\[(.*)\]$/, '$1')) || null;
}

function bracketed(name: string): string {
  return ipaddr.IPv6.isValid(name) ? `[${name}]` : name;
}

/** All Host headers: `request.headers` keeps only the first. */
function hostHeadersOf({ rawHeaders }: IncomingMessage): string[] {
  const found: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') found.push(rawHeaders[at + 1] ?? '');
  }
  return found;
}

function malformed(message: string): HostRefusal {
  return { status: 400, code: 'BAD_USER_INPUT', message };
}

const THROUGH_PROXY =
  ' A reverse proxy sent the request: it can also pass on the Host that the browser named (docs/proxies.md).';

function misdirected(hostname: string, { headers }: IncomingMessage): HostRefusal {
  const shown = hostname.slice(0, 255);
  return {
    status: 421,
    code: 'MISDIRECTED',
    message:
      `This server is not known as "${shown}": if it is to be reached by that name, add it to ALLOWED_HOSTS or set PUBLIC_URL.` +
      (headers['x-forwarded-for'] === undefined ? '' : THROUGH_PROXY),
  };
}
