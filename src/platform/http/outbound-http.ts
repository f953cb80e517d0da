import { lookup as resolve } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The only IPv6 block that is routed on the internet; `ipaddr.js` also reports unassigned blocks as unicast. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/**
 * @returns whether this is an address of the public internet: not in IANA's special-purpose blocks (RFC 6890), and not
 *   in a block that is translated to IPv4
 */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_IPV6);
}

/**
 * POSTs to a URL that a user configured, without access to addresses that only this machine can reach: the address is
 * checked when connecting, whatever the name resolved to before. Redirects are not followed.
 *
 * @returns the status, and the answer's Retry-After
 * @throws ForbiddenAddress, or the error of the connection; an Error when it takes longer than `timeoutMs`
 */
export async function postToPublic(
  url: URL,
  { headers, body, timeoutMs, allowPrivate, resolveName = resolve }: PublicPost,
): Promise<PublicAnswer> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // A literal address is not resolved, so `lookup` does not check it.
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
        const { 'retry-after': retryAfter = null } = response.headers;
        response.on('end', () => resolved({ status: response.statusCode ?? 0, retryAfter }));
        response.on('error', reject);
      },
    );
    request.on('error', (error) => {
      reject(error.name === 'AbortError' ? new Error(`no answer within ${timeoutMs} ms`) : error);
    });
    request.end(body);
  });
}

interface PublicAnswer {
  status: number;
  /** Seconds or a date, as it was sent. */
  retryAfter: string | null;
}

interface PublicPost {
  headers: Record<string, string>;
  body: string;
  timeoutMs: number;
  /** For private installations, whose chat server is in the same network. */
  allowPrivate: boolean;
  resolveName?: typeof resolve;
}

function forbidden(host: string): ForbiddenAddress {
  return new ForbiddenAddress(
    `${host} is not on the public internet; ALERTS_ALLOW_PRIVATE=true allows such targets`,
  );
}
