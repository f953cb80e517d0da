import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import proxyaddr from 'proxy-addr';

/** The client's address, canonical; empty when its connection is already closed. */
export type ClientAddress = (request: {
  socket: Pick<IncomingMessage['socket'], 'remoteAddress'>;
  headers: IncomingMessage['headers'];
}) => string;

/**
 * Only `X-Forwarded-For` is read, which every proxy can send: `Forwarded` (RFC 7239) and headers of single products are
 * not, so that a client cannot name itself by a header that the proxy does not know.
 *
 * @param trustedProxies addresses and ranges whose X-Forwarded-For header is trusted; it is ignored from all others
 * @param onUntrusted called with the address of each other sender of the header
 */
export function createClientAddress(
  trustedProxies: readonly string[],
  onUntrusted: (address: string) => void = () => {},
): ClientAddress {
  const isTrusted = proxyaddr.compile([...trustedProxies]);
  return ({ socket, headers }) => {
    let address = canonicalAddress(socket.remoteAddress);
    const forwarded = headers['x-forwarded-for'];
    if (forwarded === undefined) return address;
    if (address === '') return address;
    if (!isTrusted(address, 0)) {
      onUntrusted(address);
      return address;
    }
    const filled = [forwarded]
      .flat()
      .join(',')
      .split(',')
      .filter((hop) => hop.trim() !== '')
      .reverse();
    for (const [index, hop] of filled.entries()) {
      if (address === '' || !isTrusted(address, index)) break;
      const before = addressOfHop(hop);
      // If a proxy forwards an invalid address, the proxy counts as the client.
      if (before === '') break;
      address = before;
    }
    return address;
  };
}

/**
 * Parses an element of X-Forwarded-For. It should be a bare address, but some gateways add the port, or use the form of
 * `Forwarded` (RFC 7239 §4): `203.0.113.7:52100`, `[2001:db8::7]:52100`, `for="[2001:db8::7]"`.
 */
function addressOfHop(text: string): string {
  const node = text
    .trim()
    .replace(/^for=/i, '')
    .replace(/^"(.*)"$/, '$1');
  const { v6 = node } = /^\[(?<v6>[^\]]*)\](:\d+)?$/.exec(node)?.groups ?? {};
  const { v4 = v6 } = /^(?<v4>[\d.]+):\d+$/.exec(v6)?.groups ?? {};
  return canonicalAddress(v4);
}

/**
 * The key for counting requests of a client. An IPv6 client usually has a network of 2⁶⁴ addresses, so its network is
 * counted.
 */
export function networkOf(address: string): string {
  if (isIPv4(address)) return address;
  if (!ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const network = parsed.toByteArray().slice(0, 8);
  return `${Buffer.from(network).toString('hex')}/64`;
}

/** @returns whether this names proxies: an address, a range, or one of the words for ranges */
export function isProxyAddress(text: string): boolean {
  try {
    proxyaddr.compile(text);
    return true;
  } catch {
    return false;
  }
}

/** Shortest form, with the IPv4-mapped address of a dual-stack socket as IPv4; empty for an invalid address. */
export function canonicalAddress(text: string | undefined): string {
  if (text === undefined) return '';
  // The common case: already in its shortest form.
  if (isIPv4(text)) return text;
  return isAddress(text) ? ipaddr.process(text).toString() : '';
}

/** Not `ipaddr.isValid`, which also accepts the number "1" as an address. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}
