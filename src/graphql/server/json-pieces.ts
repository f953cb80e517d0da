/** Characters of one piece, the unit in which a reader's progress is measured. */
const PIECE_CHARACTERS = 16 * 1024;

interface Level {
  keys: readonly string[] | null;
  values: readonly unknown[];
  at: number;
}

/**
 * `JSON.stringify(value)` in pieces, so that a long answer neither blocks the event loop nor is in memory twice.
 *
 * @param value plain data, as a GraphQL executor returns it
 */
export function* jsonPieces(value: unknown, pieceCharacters = PIECE_CHARACTERS): Generator<string> {
  const levels: Level[] = [];
  let piece = '';
  let next: unknown = value;
  for (;;) {
    if (typeof next === 'string' && next.length > pieceCharacters) {
      yield piece;
      piece = '';
      yield* stringPieces(next, pieceCharacters);
    } else if (typeof next === 'object' && next !== null) {
      const keys = Array.isArray(next) ? null : keysOf(next);
      const values: readonly unknown[] = Array.isArray(next) ? next : Object.values(next).filter(isDefined);
      levels.push({ keys, values, at: 0 });
      piece += keys === null ? '[' : '{';
    } else {
      piece += JSON.stringify(next ?? null);
    }
    if (piece.length >= pieceCharacters) {
      yield piece;
      piece = '';
    }

    let level = levels.at(-1);
    while (level !== undefined && level.at === level.values.length) {
      piece += level.keys === null ? ']' : '}';
      levels.pop();
      level = levels.at(-1);
    }
    if (level === undefined) break;
    if (level.at > 0) piece += ',';
    if (level.keys !== null) piece += `${JSON.stringify(level.keys[level.at])}:`;
    next = level.values[level.at];
    level.at += 1;
  }
  if (piece !== '') yield piece;
}

function keysOf(value: object): string[] {
  return Object.entries(value).flatMap(([key, item]) => (isDefined(item) ? [key] : []));
}

function isDefined(value: unknown): boolean {
  return value !== undefined;
}

function* stringPieces(text: string, pieceCharacters: number): Generator<string> {
  yield '"';
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + pieceCharacters, text.length);
    // Does not split a surrogate pair: half of a pair would be escaped.
    if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to -= 1;
    yield JSON.stringify(text.slice(from, to)).slice(1, -1);
    from = to;
  }
  yield '"';
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
