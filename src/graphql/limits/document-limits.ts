import { type DocumentNode, GraphQLError, parse, validate } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { type Excess, tooMuch } from './argument-limits.js';
import { refusalOfText } from './control-characters.js';
import { excessOfDocument, type SizeLimits } from './document-size.js';

export interface DocumentLimits extends SizeLimits {
  /** Names, numbers and punctuation of a document. */
  readonly maxTokens: number;
}

/**
 * Refuses documents that are too large, with QUERY_TOO_COMPLEX, over every transport: POST, GET, SSE and WebSocket.
 * `limitCost` then counts what the rest ask for.
 *
 * All checks run before validation. graphql's validation compares fields of the same name in pairs, so its time grows
 * with the square of the document. Each of its errors computes a line number from the beginning of the document, so
 * the numbers of lines and errors are limited as well.
 */
export function limitDocuments(
  limits: DocumentLimits,
  onRefusal: (limit: string) => void,
): Plugin<{ params?: GraphQLParams }> {
  return {
    onParse({ context, setParseFn }) {
      setParseFn((source: string, options?: object) => parseShort(source, options, limits.maxTokens));
      return ({ result, replaceParseResult }) => {
        const variables = context.params?.variables ?? {};
        const excess = isDocument(result) ? excessOfDocument(result, variables, limits) : null;
        const refusal = excess === null ? result : tooComplex(excess);
        if (refusal instanceof GraphQLError && refusal.extensions.code === CODE) {
          onRefusal(String(refusal.extensions.limit));
          replaceParseResult(refusal);
          return;
        }
        // Only now is the size known to be within the limits.
        const unfit = isDocument(result) ? refusalOfText(result, variables) : null;
        if (unfit !== null) replaceParseResult(unfit);
      };
    },
    onValidate({ setValidationFn }) {
      setValidationFn((...[of, document, rules]: Parameters<typeof validate>) =>
        validate(of, document, rules, { maxErrors: MAX_ERRORS }),
      );
    },
  };
}

const CODE = 'QUERY_TOO_COMPLEX';

/** GraphQL over HTTP: the status of a request error, except in answers of the type `application/json`. */
export const REQUEST_ERROR = { spec: true, status: 400 } as const;

/** Enough for two thousand tokens of thirty characters each. */
const MAX_CHARACTERS = 64 * 1024;
/** Enough for one line per token, and comments. */
const MAX_LINES = 4_000;
/** Validation errors in one answer: an author fixes a few at a time. */
const MAX_ERRORS = 20;

/** Worst case: bytes of syntax tree per character of a document. */
const BYTES_PER_CHARACTER = 300;
const MAX_DOCUMENT_CACHE_BYTES = 30 * 1024 * 1024;

/** Bounded by bytes and not by the number of documents, because a document can be long. */
export function createDocumentCache() {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: MAX_DOCUMENT_CACHE_BYTES,
    sizeCalculation: (_document, text) => Math.max(1, text.length * BYTES_PER_CHARACTER),
  });
  return {
    documentCache: documents,
    // Errors are not cached: a client could fill the cache with wrong documents.
    errorCache: { get: () => undefined, set: () => {} },
  };
}

function parseShort(source: string, options: object | undefined, maxTokens: number) {
  const excess = excessOfText(source);
  if (excess !== null) throw tooComplex(excess);
  try {
    return parse(source, { ...options, maxTokens });
  } catch (error) {
    // graphql has no code for this error, only its text.
    if (!(error instanceof GraphQLError) || !error.message.includes('Document contains more')) throw error;
    const message = `A document has at most ${maxTokens} tokens (GRAPHQL_MAX_TOKENS).`;
    throw tooComplex(tooMuch('tokens', maxTokens, message));
  }
}

function excessOfText(source: string): Excess | null {
  if (source.length > MAX_CHARACTERS) {
    return tooMuch('characters', MAX_CHARACTERS, `A document has at most ${MAX_CHARACTERS} characters.`);
  }
  let lines = 1;
  for (let at = 0; at < source.length; at++) {
    const character = source.charCodeAt(at);
    if (character === LINE_FEED || character === CARRIAGE_RETURN) lines += 1;
  }
  return lines > MAX_LINES ? tooMuch('lines', MAX_LINES, `A document has at most ${MAX_LINES} lines.`) : null;
}

const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d];

function isDocument(result: unknown): result is DocumentNode {
  return typeof result === 'object' && result !== null && 'definitions' in result;
}

/** The error of an operation that exceeds a limit. */
export function tooComplex({ message, limit, max }: Excess): GraphQLError {
  return new GraphQLError(message, { extensions: { code: CODE, limit, max, http: REQUEST_ERROR } });
}
