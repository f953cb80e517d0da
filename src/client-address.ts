import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import proxyaddr from 'proxy-addr';

/** The address that a request comes from, canonical; empty when its connection has gone already. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * @param trustedProxies addresses and ranges whose X-Forwarded-For is believed; anybody else's is only a claim
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = proxyaddr.compile([...trustedProxies]);
  return (request) => {
    const claimed = proxyaddr(request, isTrusted);
    // A proxy that passes on what is no address is taken for the sender itself.
    return canonical(ipaddr.isValid(claimed) ? claimed : request.socket.remoteAddress);
  };
}

/**
 * Whom to count an address for. Whoever has IPv6 has at least the 2⁶⁴ addresses of a network, so the network is what
 * is counted.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const network = parsed.toByteArray().slice(0, 8);
  return `${Buffer.from(network).toString('hex')}/64`;
}

/** @returns whether a proxy can be told by this: an address, a range, or one of the words for ranges */
export function isProxyAddress(text: string): boolean {
  try {
    proxyaddr.compile(text);
    return true;
  } catch {
    return false;
  }
}

function canonical(address: string | undefined): string {
  // IPv4 in the IPv6 form of a dual-stack socket becomes plain IPv4.
  return address === undefined || !ipaddr.isValid(address) ? '' : ipaddr.process(address).toString();
}
