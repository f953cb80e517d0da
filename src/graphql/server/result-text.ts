import { type ExecutionResult, GraphQLError } from 'graphql';

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

const eventIds = new WeakMap<object, string>();

/** Gives a result the id that its server-sent event has. */
export function setEventId(result: ExecutionResult, id: string): void {
  eventIds.set(result, id);
}

/** The id of the server-sent event; null without one. */
export function eventIdOf(result: ExecutionResult): string | null {
  return eventIds.get(result) ?? null;
}

/** A new result with the same members and with extensions; its JSON, where it has one, is not written again. */
export function withExtensions(result: TextResult, extensions: object): TextResult {
  const extended: TextResult = { ...result, extensions: { ...result.extensions, ...extensions } };
  const eventId = eventIdOf(result);
  if (eventId !== null) setEventId(extended, eventId);
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

/** Removes the extensions that are meant for the server. */
export function shownResult<Result extends { errors?: readonly GraphQLError[] | undefined }>(
  result: Result,
): Result {
  return result.errors === undefined ? result : { ...result, errors: result.errors.map(shownError) };
}

/** The error without the extensions that are meant for the server. */
export function shownError(error: GraphQLError): GraphQLError {
  const { http, unexpected, ...extensions } = error.extensions;
  if (http === undefined && unexpected === undefined) return error;
  const { message, nodes = null, source = null, positions = null, path = null } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}

function withText(result: ExecutionResult, stringify: () => string): TextResult {
  // Not enumerable, so that it is not part of the JSON.
  return Object.defineProperty(result, 'stringify', { value: stringify });
}
