import { GraphQLError, parse } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** GraphiQL's introspection, the longest document that people send, has about 300. */
const MAX_TOKENS = 2_000;

/**
 * Refuses long documents while they are read: graphql's validation compares the fields of one name in pairs, so that
 * a megabyte of them would keep the process busy for minutes.
 */
export const limitTokens: Plugin = {
  onParse({ setParseFn }) {
    setParseFn((source: string, options?: object) => {
      try {
        return parse(source, { ...options, maxTokens: MAX_TOKENS });
      } catch (error) {
        // graphql has no code for this error, only its text.
        if (!(error instanceof GraphQLError) || !error.message.includes('Document contains more'))
          throw error;
        throw new GraphQLError(`A document has at most ${MAX_TOKENS} tokens.`, {
          extensions: { code: 'QUERY_TOO_COMPLEX' },
        });
      }
    });
  },
};
