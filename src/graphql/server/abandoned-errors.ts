import { GraphQLError } from 'graphql';

let isListening = false;

/**
 * graphql 16 leaves an answer's other promises alone where an item of a list fails at once, and those that fail later are
 * nobody's: Node would end the process, or the thread, for them. The answer has been given by then, with an error. Whatever
 * else nobody has caught is a bug, and ends the process as before.
 */
export function forgetAbandonedErrors(): void {
  if (isListening) return;
  isListening = true;
  process.on('unhandledRejection', (reason) => {
    if (!(reason instanceof GraphQLError)) throw reason;
  });
}
