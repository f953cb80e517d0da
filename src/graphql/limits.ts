import { type DocumentNode, GraphQLError, type GraphQLSchema, parse } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import type { Excess } from './argument-sizes.js';
import { findExcess, type QueryLimits } from './query-size.js';

export interface DocumentLimits extends QueryLimits {
  /** Names, numbers and punctuation of a document. GraphiQL's introspection has about 300. */
  readonly maxTokens: number;
}

/**
 * Refuses what asks for too much, with QUERY_TOO_COMPLEX, whatever way it came: by POST, GET, SSE or WebSocket.
 *
 * All of it between reading and validation: graphql's validation compares the fields of one name in pairs, so that
 * long documents would keep the process busy, and resolvers come later still.
 */
export function limitDocuments(
  schema: GraphQLSchema,
  limits: DocumentLimits,
  onRefusal: (limit: string) => void,
): Plugin<{ params?: GraphQLParams }> {
  return {
    onParse({ context, setParseFn }) {
      setParseFn((source: string, options?: object) => parseShort(source, options, limits.maxTokens));
      return ({ result, replaceParseResult }) => {
        const refusal = isDocument(result) ? refusalOf(result, context.params?.variables ?? {}) : result;
        if (!(refusal instanceof GraphQLError) || refusal.extensions.code !== CODE) return;
        onRefusal(String(refusal.extensions.limit));
        replaceParseResult(refusal);
      };
    },
  };

  function refusalOf(document: DocumentNode, variables: Record<string, unknown>): GraphQLError | null {
    const excess = findExcess({ schema, document, variables, limits });
    return excess === null ? null : tooComplex(excess);
  }
}

const CODE = 'QUERY_TOO_COMPLEX';

/** A character of a document stands for some such bytes of its tree at worst. */
const BYTES_PER_CHARACTER = 300;
const MAX_DOCUMENT_CACHE_BYTES = 30 * 1024 * 1024;

/** Documents are remembered by their bytes, not their number: a thousand long ones would be a gigabyte. */
export function createDocumentCache() {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: MAX_DOCUMENT_CACHE_BYTES,
    sizeCalculation: (_document, text) => Math.max(1, text.length * BYTES_PER_CHARACTER),
  });
  return {
    documentCache: documents,
    // What is wrong is as wrong the next time, and whoever sends it can send something else.
    errorCache: { get: () => undefined, set: () => {} },
  };
}

function parseShort(source: string, options: object | undefined, maxTokens: number) {
  try {
    return parse(source, { ...options, maxTokens });
  } catch (error) {
    // graphql has no code for this error, only its text.
    if (!(error instanceof GraphQLError) || !error.message.includes('Document contains more')) throw error;
    const message = `A document has at most ${maxTokens} tokens (GRAPHQL_MAX_TOKENS).`;
    throw tooComplex({ message, limit: 'tokens', max: maxTokens });
  }
}

function isDocument(result: unknown): result is DocumentNode {
  return typeof result === 'object' && result !== null && 'definitions' in result;
}

function tooComplex({ message, limit, max }: Pick<Excess, 'message' | 'max'> & { limit: string }) {
  return new GraphQLError(message, { extensions: { code: CODE, limit, max } });
}
