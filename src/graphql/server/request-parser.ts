import type { IncomingMessage, ServerResponse } from 'node:http';
import { processRequest } from 'graphql-upload-minimal';
import { createGraphQLError, type GraphQLParams, type Plugin } from 'graphql-yoga';
import { discard } from '../../platform/http/drain-slowly.js';
import { parseJson } from '../../platform/json.js';
import { tooComplex } from '../limits/document-limits.js';
import { excessOfJson, MAX_JSON_BYTES } from './json-limits.js';

/** `operations` and `map` of a multipart request. */
const MAX_FIELD_BYTES = 64 * 1024;

/**
 * Reads a POST body as an operation: JSON, or a GraphQL multipart request with one file. It accepts nothing else, so
 * that a web page cannot make a browser send one without a preflight: JSON is no "simple request", and a multipart form
 * of another site is recognized by its Origin.
 */
export function readRequests({
  maxFileBytes,
  refusalOfOrigin,
  onRefusal,
}: {
  maxFileBytes: number;
  refusalOfOrigin: (request: IncomingMessage) => string | null;
  onRefusal: (limit: string) => void;
}): Plugin<object, { req: IncomingMessage; res: ServerResponse }> {
  return {
    onRequestParse({ request, setRequestParser, serverContext: { req, res } }) {
      if (request.method !== 'POST') return;
      const type = req.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
      switch (type) {
        case 'application/json':
          return setRequestParser(() => readJson(req, onRefusal));
        case 'multipart/form-data':
          assertOwnPage(refusalOfOrigin(req));
          return setRequestParser(() => readMultipart(req, res, maxFileBytes));
        default:
          throw refusal(415, 'Send application/json, or multipart/form-data for uploads.');
      }
    },
  };
}

/** Bytes read beyond the limit, so that the sender of a body that is too large sees the answer before the close. */
const FILE_GRACE_BYTES = 64 * 1024 * 1024;
const JSON_GRACE_BYTES = 4 * 1024 * 1024;

/** Part headers and the boundaries between them. */
const MULTIPART_OVERHEAD_BYTES = 16 * 1024;

/** Resolves when `operations` and `map` are read; the resolver that uses the file reads it. */
async function readMultipart(
  req: IncomingMessage,
  res: ServerResponse,
  maxFileSize: number,
): Promise<GraphQLParams> {
  // The parser treats a file of exactly its limit as too large; the service checks the size and names the setting.
  const limits = { maxFileSize: maxFileSize + FILE_GRACE_BYTES, maxFiles: 1, maxFieldSize: MAX_FIELD_BYTES };
  ignoreLateErrors(req);
  limitWholeBody(req, maxFileSize + 2 * MAX_FIELD_BYTES + MULTIPART_OVERHEAD_BYTES + FILE_GRACE_BYTES);
  try {
    return (await processRequest(req, res, limits)) as GraphQLParams;
  } catch (error) {
    // Every refusal is the client's error; the parser's own errors have no status.
    const status =
      error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : 400;
    throw refusal(status, error instanceof Error ? error.message : 'The form is not valid.');
  }
}

/**
 * The form's parser can emit a second error after the first ("Unexpected end of form" after a malformed part). Without
 * a listener that error would end the process.
 */
function ignoreLateErrors(req: IncomingMessage): void {
  const pipe = req.pipe.bind(req);
  req.pipe = (destination, options) =>
    pipe(
      destination.on('error', () => {}),
      options,
    );
}

/** The parser discards bytes beyond its limits without end, so the whole body is bounded here. */
function limitWholeBody(req: IncomingMessage, maxBytes: number): void {
  let size = 0;
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    // Most of it was read after the answer; only closing the connection stops the sender.
    if (size > maxBytes) req.destroy();
  });
}

async function readJson(req: IncomingMessage, onRefusal: (limit: string) => void): Promise<GraphQLParams> {
  const bytes = await readBytes(req);
  const excess = excessOfJson(bytes);
  if (excess !== null) {
    onRefusal(excess.limit);
    throw tooComplex(excess);
  }
  const body = parseJson(bytes.toString('utf8'));
  if (body === undefined) throw refusal(400, 'The body is not valid JSON.');
  if (typeof body !== 'object' || body === null) throw refusal(400, 'The body is not a JSON object.');
  return body;
}

async function readBytes(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = Number(req.headers['content-length'] ?? 0);
  if (size <= MAX_JSON_BYTES) {
    size = 0;
    // Otherwise the end of the loop would close the connection before the answer is sent.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > MAX_JSON_BYTES) break;
      chunks.push(chunk);
    }
  }
  if (size <= MAX_JSON_BYTES) return Buffer.concat(chunks);
  limitWholeBody(req, JSON_GRACE_BYTES);
  discard(req);
  throw refusal(413, `A request has at most ${MAX_JSON_BYTES} bytes of JSON.`);
}

/** @throws GraphQLError with the reason */
function assertOwnPage(reason: string | null): void {
  if (reason !== null) throw refusal(403, reason);
}

function refusal(status: number, message: string) {
  return createGraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status } } });
}
