import type { IncomingMessage } from 'node:http';

/**
 * @param publicUrl without a slash at its end
 * @returns the path below which people reach the server: `/coredock`; empty at the root of a host
 */
export function basePathOf(publicUrl: string | null): string {
  return publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/$/, '');
}

/**
 * Removes the base path from the target of a request. Some reverse proxies remove it, others pass it on: every path of
 * the server works with it and without it.
 *
 * @param basePath none of the server's own paths begins with it (see `publicUrl` in value-types.ts)
 */
export function removeBasePath(request: Pick<IncomingMessage, 'url'>, basePath: string): void {
  const { url = '' } = request;
  if (basePath === '' || !url.startsWith(basePath)) return;
  const rest = url.slice(basePath.length);
  if (rest === '' || rest.startsWith('?')) request.url = `/${rest}`;
  else if (rest.startsWith('/')) request.url = rest;
}
