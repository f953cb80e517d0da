import type { IncomingMessage, ServerResponse } from 'node:http';
import { processRequest } from 'graphql-upload-minimal';
import { createGraphQLError, type GraphQLParams, type Plugin } from 'graphql-yoga';

/** A query with its variables; bundles come as multipart and have their own limit. */
const MAX_JSON_BYTES = 1024 * 1024;
/** `operations` and `map` of a multipart request. */
const MAX_FIELD_BYTES = 64 * 1024;

/**
 * How a POST body becomes an operation: JSON, or a GraphQL multipart request with one file. Nothing else, so that no
 * web page can make a browser send one without asking first (a "simple request" has neither content type, and a
 * multipart form of another site is told by its Origin).
 */
export function readRequests({
  maxFileBytes,
  isForeign,
}: {
  maxFileBytes: number;
  isForeign: (request: IncomingMessage) => boolean;
}): Plugin<object, { req: IncomingMessage; res: ServerResponse }> {
  return {
    onRequestParse({ request, setRequestParser, serverContext: { req, res } }) {
      if (request.method !== 'POST') return;
      const type = req.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
      switch (type) {
        case 'application/json':
          return setRequestParser(() => readJson(req));
        case 'multipart/form-data':
          if (isForeign(req)) throw refusal(403, 'Multipart requests of other sites are refused.');
          return setRequestParser(() => readMultipart(req, res, maxFileBytes));
        default:
          throw refusal(415, 'Send application/json, or multipart/form-data for uploads.');
      }
    },
  };
}

/** For the sender of a file that is too large to see the answer before the connection ends. */
const GRACE_BYTES = 64 * 1024 * 1024;

/** Heads of the parts and boundaries between them. */
const MULTIPART_OVERHEAD_BYTES = 16 * 1024;

/** Resolves when `operations` and `map` are there; the file is read by who uses it. */
async function readMultipart(
  req: IncomingMessage,
  res: ServerResponse,
  maxFileSize: number,
): Promise<GraphQLParams> {
  const limits = { maxFileSize, maxFiles: 1, maxFieldSize: MAX_FIELD_BYTES };
  hearLateErrors(req);
  boundWhole(req, maxFileSize + 2 * MAX_FIELD_BYTES + MULTIPART_OVERHEAD_BYTES);
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

/** The parser throws away what is beyond its limits, however much comes; nobody pays for that either. */
function boundWhole(req: IncomingMessage, maxBytes: number): void {
  let size = 0;
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    // Most of it was read after the answer: breaking off is all that is left to say.
    if (size > maxBytes + GRACE_BYTES) req.destroy();
  });
}

async function readJson(req: IncomingMessage): Promise<GraphQLParams> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) throw refusal(413, `A request has at most ${MAX_JSON_BYTES} bytes.`);
    chunks.push(chunk);
  }
  const body = parseJson(Buffer.concat(chunks).toString('utf8'));
  if (typeof body !== 'object' || body === null) throw refusal(400, 'The body is not a JSON object.');
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal(400, 'The body is not valid JSON.');
  }
}

function refusal(status: number, message: string) {
  return createGraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status } } });
}
