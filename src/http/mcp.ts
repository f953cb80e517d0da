import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { Person } from '../auth/principal.js';
import { badInput, DomainError } from '../errors.js';
import { ToolError } from '../mcp/tool.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { discard } from '../platform/http/drain-slowly.js';
import { parseJson } from '../platform/json.js';
import type { CrossOrigin } from './cors.js';
import type { Exchange } from './exchange.js';

interface McpDeps {
  gatekeeper: Pick<Gatekeeper, 'admit'>;
  clientAddress: ClientAddress;
  refusalOfOrigin: CrossOrigin['refusalOf'];
  /** Runs a document of the tools. */
  ask: (
    exchange: { request: IncomingMessage; response: ServerResponse },
    actor: { person: Person; address: string; requestId: string },
    operation: { document: string; variables: Record<string, unknown> },
  ) => Promise<{ data: unknown; errors: readonly GraphQLError[] }>;
  pageUrl: string | null;
  version: string;
}

/** Arguments of tools are short. */
const MAX_BODY_BYTES = 64 * 1024;
/** Calls in one array, as versions of the protocol before 2025-06-18 allow it. */
const MAX_BATCH = 20;

/**
 * `POST /mcp`: tools for agents, by the Model Context Protocol. Whoever asks, an agent reads as a viewer: what it reads
 * may contain instructions by strangers, and it passes on what it has read.
 */
export function createMcpRoute({
  gatekeeper,
  clientAddress,
  refusalOfOrigin,
  ask,
  pageUrl,
  version,
}: McpDeps) {
  return async function mcp({ request, response, requestId, log }: Exchange): Promise<void> {
    const foreign = refusalOfOrigin(request);
    if (foreign !== null) throw new DomainError('FORBIDDEN', foreign);
    const address = clientAddress(request);
    const reader = await gatekeeper.admit(address, request.headers.authorization);
    const person: Person = { ...reader, kind: 'viewer' };
    const body = await readBody(request);
    // Not before the first agent comes: the SDK is large.
    const { answerMcp } = await import('../mcp/serve.js');
    const leaving = new AbortController();
    response.once('close', () => leaving.abort());
    const actor = { person, address, requestId };
    const answer = await answerMcp(toWebRequest(request, leaving.signal), body, {
      reader: {
        pageUrl,
        async ask(document, variables) {
          const { data, errors } = await ask({ request, response }, actor, { document, variables });
          const [error] = errors;
          if (error !== undefined) throw new ToolError(sentenceOf(error));
          return data;
        },
      },
      version,
      masked(error) {
        log.error({ err: error }, 'a tool of an agent failed');
        return `Unexpected error; the server's log has it under the request id ${requestId}.`;
      },
      onError: (error) => log.debug({ err: error }, 'a request of an agent was refused'),
    });
    await send(response, answer);
  };
}

/** The error is masked already. */
function sentenceOf({ message, extensions }: GraphQLError): string {
  const { requestId } = extensions;
  return typeof requestId === 'string'
    ? `${message} The server's log has it under the request id ${requestId}.`
    : message;
}

/** @throws DomainError for what is no JSON, or too long */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    discard(request);
    throw new DomainError(
      'UNSUPPORTED_MEDIA_TYPE',
      'Send application/json: messages of the Model Context Protocol.',
    );
  }
  const chunks: Buffer[] = [];
  let size = 0;
  // Otherwise the end of the loop would close the connection before the answer is sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      discard(request);
      throw new DomainError('TOO_LARGE', `A message has at most ${MAX_BODY_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  const body = parseJson(Buffer.concat(chunks).toString('utf8'));
  if (body === undefined) throw badInput('The body is not valid JSON.');
  if (Array.isArray(body) && body.length > MAX_BATCH)
    throw badInput(`At most ${MAX_BATCH} messages can be sent at once.`);
  return body;
}

/** The SDK reads methods and headers of the web's requests; the body is given to it as JSON. */
function toWebRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && name !== 'authorization') headers.set(name, String(value));
  }
  return new Request('http://localhost/mcp', { method: 'POST', headers, signal });
}

async function send(response: ServerResponse, answer: Response): Promise<void> {
  if (response.closed) return;
  const text = await answer.text();
  const type = answer.headers.get('content-type');
  const body = text === '' ? {} : { 'Content-Length': Buffer.byteLength(text) };
  response
    .writeHead(answer.status, { ...(type === null ? {} : { 'Content-Type': type }), ...body })
    .end(text);
}
