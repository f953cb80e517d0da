import type { ExecutionResult } from 'graphql';

/** A result that may know its JSON: Yoga takes that, when there is one, instead of writing it. */
export type TextResult = ExecutionResult & { stringify?: (result: ExecutionResult) => string };

/** A result that stands for its JSON, which came from elsewhere. Its `data` is not to be read. */
export function writtenResult(json: string): TextResult {
  return withText({ data: {} }, () => json);
}

/** Lets a result be written once, by the first who needs it, for all who get it. */
export function writeOnce(result: ExecutionResult): void {
  let text: string | undefined;
  withText(result, () => {
    text ??= JSON.stringify(result);
    return text;
  });
}

/** The JSON that a result knows; null when it has to be written. */
export function knownText(result: TextResult): string | null {
  return result.stringify === undefined ? null : result.stringify(result);
}

/** The JSON of a result, as clients may see it. */
export function textOf(result: TextResult): string {
  return knownText(result) ?? JSON.stringify(shownResult(result));
}

type ShownResult = Omit<ExecutionResult, 'errors'> & { errors?: readonly object[] };

/** What errors say to servers is not for clients. */
export function shownResult(result: ExecutionResult): ShownResult {
  if (result.errors === undefined) return result;
  const errors = result.errors.map((error) => {
    const { extensions, ...shown } = error.toJSON();
    const { http, unexpected, ...others } = extensions ?? {};
    return { ...shown, ...(Object.keys(others).length === 0 ? {} : { extensions: others }) };
  });
  return { ...result, errors };
}

function withText(result: ExecutionResult, stringify: () => string): TextResult {
  // Not one of its members, of which its JSON is made.
  return Object.defineProperty(result, 'stringify', { value: stringify });
}
