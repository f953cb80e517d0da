import type { CombinedError } from 'urql';

/** The text of an error for people: the server's own sentence, or that the server cannot be reached. */
export function messageOf(error: CombinedError): string {
  const [first] = error.graphQLErrors;
  if (first !== undefined) return first.message;
  if (error.networkError !== undefined && error.response === undefined)
    return 'The server cannot be reached. The page tries again automatically.';
  return error.message.replace(/^\[\w+\] /, '');
}
