import { lookup as resolve } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Everything that is not the public internet: RFC 6890 and its IPv6 kin, and what would lead there by translation. */
const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}

/** The one block of IPv6 that is routed on the internet, without its ways into IPv4 and its documentation. */
const GLOBAL = new BlockList();
GLOBAL.addSubnet('2000::', 3, 'ipv6');
const NOT_GLOBAL = new BlockList();
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  NOT_GLOBAL.addSubnet(network, prefix, 'ipv6');
}

class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !PRIVATE.check(address, 'ipv4');
  return isIP(address) === 6 && GLOBAL.check(address, 'ipv6') && !NOT_GLOBAL.check(address, 'ipv6');
}

/**
 * POSTs to a URL that somebody has set, without letting them reach what only this machine can: the address is checked
 * at the moment of connecting, whatever the name resolved to before. Redirects are answers like any other.
 *
 * @returns the status
 * @throws ForbiddenAddress, or the error of the connection; an Error when it takes longer than `timeoutMs`
 */
export async function postToPublic(
  url: URL,
  { headers, body, timeoutMs, allowPrivate, resolveName = resolve }: PublicPost,
): Promise<number> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // Addresses are not looked up.
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw forbidden(host);
  const lookup: LookupFunction = (hostname, options, answer) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return answer(error, '', 0);
      const bad = allowPrivate ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
      const [first] = addresses;
      if (bad !== undefined || first === undefined) return answer(forbidden(hostname), '', 0);
      if (options.all === true) return answer(null, addresses);
      answer(null, first.address, first.family);
    });
  };
  const open = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolved, reject) => {
    const request = open(
      url,
      { method: 'POST', headers, lookup, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        response.resume();
        response.on('end', () => resolved(response.statusCode ?? 0));
        response.on('error', reject);
      },
    );
    request.on('error', (error) => {
      reject(error.name === 'AbortError' ? new Error(`no answer within ${timeoutMs} ms`) : error);
    });
    request.end(body);
  });
}

interface PublicPost {
  headers: Record<string, string>;
  body: string;
  timeoutMs: number;
  /** For a homelab, whose chat server is in the same network. */
  allowPrivate: boolean;
  resolveName?: typeof resolve;
}

function forbidden(host: string): ForbiddenAddress {
  return new ForbiddenAddress(
    `${host} is not on the public internet; ALERTS_ALLOW_PRIVATE=true allows such targets`,
  );
}
