import { GraphQLError } from 'graphql';

let isListening = false;

/**
 * When an item of a list fails at once, graphql 16 does not await the other promises of the answer. Their later
 * rejections would end the process or the thread, although the client has already received an answer with an error.
 * Those rejections are ignored; every other unhandled rejection is a bug and still ends the process.
 */
export function ignoreAbandonedErrors(): void {
  if (isListening) return;
  isListening = true;
  process.on('unhandledRejection', (reason) => {
    if (!(reason instanceof GraphQLError)) throw reason;
  });
}
