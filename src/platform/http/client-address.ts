import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import proxyaddr from 'proxy-addr';

/** The address that a request comes from, canonical; empty when its connection has gone already. */
export type ClientAddress = (request: {
  socket: Pick<IncomingMessage['socket'], 'remoteAddress'>;
  headers: IncomingMessage['headers'];
}) => string;

/**
 * @param trustedProxies addresses and ranges whose X-Forwarded-For is believed; that of others is ignored
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = proxyaddr.compile([...trustedProxies]);
  return ({ socket, headers }) => {
    let address = canonicalAddress(socket.remoteAddress);
    const forwarded = headers['x-forwarded-for'];
    if (forwarded === undefined) return address;
    const filled = [forwarded]
      .flat()
      .join(',')
      .split(',')
      .filter((hop) => hop.trim() !== '')
      .reverse();
    for (const [index, hop] of filled.entries()) {
      if (address === '' || !isTrusted(address, index)) break;
      const before = addressOfHop(hop);
      // A proxy that passes on what is no address is taken for the sender itself.
      if (before === '') break;
      address = before;
    }
    return address;
  };
}

/**
 * An element of X-Forwarded-For. It should be a bare address, but some gateways write the port too, or as in
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
 * What to count requests of an address by. Whoever has IPv6 has at least the 2⁶⁴ addresses of a network, so the network
 * is counted.
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

/** In its shortest form, IPv4 in the IPv6 form of a dual-stack socket as IPv4; empty for what is no address. */
export function canonicalAddress(text: string | undefined): string {
  if (text === undefined) return '';
  // As nearly all are, and in its shortest form already.
  if (isIPv4(text)) return text;
  return isAddress(text) ? ipaddr.process(text).toString() : '';
}

/** Not `ipaddr.isValid`, which takes the number "1" for an address as well. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}
