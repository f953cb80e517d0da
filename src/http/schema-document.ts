import { createHash } from 'node:crypto';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import type { Exchange } from './exchange.js';
import type { SessionOf } from './page-sessions.js';

/**
 * `GET /schema.graphql`: the schema of this server, for code generators and editors. For viewers, as an introspection.
 *
 * @param print called once, by the first request
 */
export function createSchemaRoute({
  print,
  gatekeeper,
  clientAddress,
  sessionOf,
}: {
  print: () => string;
  gatekeeper: Pick<Gatekeeper, 'admit'>;
  clientAddress: ClientAddress;
  sessionOf: SessionOf;
}) {
  let printed: { text: string; etag: string } | undefined;
  return async function sendSchema({
    request,
    response,
  }: Pick<Exchange, 'request' | 'response'>): Promise<void> {
    await gatekeeper.admit(clientAddress(request), request.headers.authorization, sessionOf(request));
    printed ??= withTag(print());
    const { text, etag } = printed;
    response.setHeader('ETag', etag);
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304).end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
    });
    // Node leaves the body out for HEAD.
    response.end(text);
  };
}

function withTag(text: string) {
  return { text, etag: `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"` };
}
