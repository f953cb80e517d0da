import type { CombinedError } from 'urql';

/** What went wrong, for people: the server's own sentence, or that it could not be asked. */
export function messageOf(error: CombinedError): string {
  const [first] = error.graphQLErrors;
  if (first !== undefined) return first.message;
  if (error.networkError !== undefined && error.response === undefined)
    return 'The server cannot be reached. The page tries again by itself.';
  return error.message.replace(/^\[\w+\] /, '');
}
