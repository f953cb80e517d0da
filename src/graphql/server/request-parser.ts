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
 * How a POST body becomes an operation: JSON, or a GraphQL multipart request with one file. Nothing else, so that no
 * web page can make a browser send one without asking first (a "simple request" has neither content type, and a
 * multipart form of another site is recognized by its Origin).
 */
export function readRequests({
  maxFileBytes,
  isForeign,
  onRefusal,
}: {
  maxFileBytes: number;
  isForeign: (request: IncomingMessage) => boolean;
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
          if (isForeign(req)) throw refusal(403, 'Multipart requests of other sites are refused.');
          return setRequestParser(() => readMultipart(req, res, maxFileBytes));
        default:
          throw refusal(415, 'Send application/json, or multipart/form-data for uploads.');
      }
    },
  };
}

/** Read beyond the limit, so that the sender of a file or JSON that is too large sees the answer before the connection ends. */
const FILE_GRACE_BYTES = 64 * 1024 * 1024;
const JSON_GRACE_BYTES = 4 * 1024 * 1024;

/** Heads of the parts and boundaries between them. */
const MULTIPART_OVERHEAD_BYTES = 16 * 1024;

/** Resolves when `operations` and `map` are there; the file is read by who uses it. */
async function readMultipart(
  req: IncomingMessage,
  res: ServerResponse,
  maxFileSize: number,
): Promise<GraphQLParams> {
  // The service counts for itself and names the setting; the form's parser takes a file of its very limit for too large.
  const limits = { maxFileSize: maxFileSize + FILE_GRACE_BYTES, maxFiles: 1, maxFieldSize: MAX_FIELD_BYTES };
  hearLateErrors(req);
  boundWhole(req, maxFileSize + 2 * MAX_FIELD_BYTES + MULTIPART_OVERHEAD_BYTES + FILE_GRACE_BYTES);
  try {
    return (await processRequest(req, res, limits)) as GraphQLParams;
  } catch (error) {
    // Whatever it refuses is the form's fault; its parser's errors have no status of their own.
    const status =
      error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : 400;
    throw refusal(status, error instanceof Error ? error.message : 'The form is not valid.');
  }
}

/**
 * The form's parser may fail a second time after it has been given up ("Unexpected end of form" after a malformed part).
 * Nobody listens to that any more, and an error that nobody hears ends the process.
 */
function hearLateErrors(req: IncomingMessage): void {
  const pipe = req.pipe.bind(req);
  req.pipe = (destination, options) =>
    pipe(
      destination.on('error', () => {}),
      options,
    );
}

/** The parser discards what is beyond its limits, however much comes: that is bounded as well. */
function boundWhole(req: IncomingMessage, maxBytes: number): void {
  let size = 0;
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    // Most of it was read after the answer: breaking off is all that is left to say.
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
    // Ending the loop would else end the connection, and the answer with it.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > MAX_JSON_BYTES) break;
      chunks.push(chunk);
    }
  }
  if (size <= MAX_JSON_BYTES) return Buffer.concat(chunks);
  boundWhole(req, JSON_GRACE_BYTES);
  discard(req);
  throw refusal(413, `A request has at most ${MAX_JSON_BYTES} bytes of JSON.`);
}

function refusal(status: number, message: string) {
  return createGraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status } } });
}
