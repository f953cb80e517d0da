import type { ExecutionResult } from 'graphql';

/** A result that may have its JSON already: Yoga calls `stringify` where it exists, instead of writing JSON itself. */
export type TextResult = ExecutionResult & { stringify?: (result: ExecutionResult) => string };

/** A result that stands for JSON from another thread. Its `data` must not be read. */
export function writtenResult(json: string): TextResult {
  return withText({ data: {} }, () => json);
}

/** Makes a result's JSON be written once, at the first request for it, and reused for all clients. */
export function writeOnce(result: ExecutionResult): void {
  let text: string | undefined;
  withText(result, () => {
    text ??= JSON.stringify(result);
    return text;
  });
}

/** A new result with the same members and with extensions; its JSON, where it has one, is not written again. */
export function withExtensions(result: TextResult, extensions: object): TextResult {
  const extended: TextResult = { ...result, extensions: { ...result.extensions, ...extensions } };
  if (result.stringify === undefined) return extended;
  return withText(extended, () => {
    const json = textOf(result);
    return `${json.slice(0, -1)},"extensions":${JSON.stringify(extensions)}}`;
  });
}

/** The JSON that a result already has; null when it must be written. */
export function knownText(result: TextResult): string | null {
  return result.stringify === undefined ? null : result.stringify(result);
}

/** The JSON of a result, as clients may see it. */
export function textOf(result: TextResult): string {
  return knownText(result) ?? JSON.stringify(shownResult(result));
}

type ShownResult = Omit<ExecutionResult, 'errors'> & { errors?: readonly object[] };

/** Removes the extensions that are meant for the server. */
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
  // Not enumerable, so that it is not part of the JSON.
  return Object.defineProperty(result, 'stringify', { value: stringify });
}
