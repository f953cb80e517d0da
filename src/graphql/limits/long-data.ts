/** The `data` of an answer that another thread writes as JSON. */
export interface LongData {
  /** The next piece of its JSON, in UTF-8; null at the end. @throws Error when the rest cannot be read */
  next(): Promise<Uint8Array | null>;
}

/** Characters written to the connection at once; a reader's progress is measured in these pieces. */
const PIECE_BYTES = 16 * 1024;

const known = new WeakMap<object, { beginning: string; rest: LongData }>();

/** A placeholder for the data of a result. */
export function longData(beginning: string, rest: LongData): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  known.set(data, { beginning, rest });
  return data;
}

/**
 * The pieces of a result's JSON.
 *
 * @param others the other members of the result, mainly `errors`
 * @returns null when the result's data is plain
 */
export function longJson(data: unknown, others: object): AsyncGenerator<Uint8Array> | null {
  const long = longOf(data);
  return long === undefined ? null : piecesOf(long.beginning, long.rest, JSON.stringify(others));
}

/** One text, with a piece before and after it. */
export async function* between(
  before: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  after: string,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(before);
  yield* pieces;
  yield Buffer.from(after);
}

/** The whole JSON, for transports that send it in one message. */
export async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

function longOf(data: unknown) {
  return typeof data === 'object' && data !== null ? known.get(data) : undefined;
}

async function* piecesOf(beginning: string, rest: LongData, others: string): AsyncGenerator<Uint8Array> {
  const before = others === '{}' ? '{' : `${others.slice(0, -1)},`;
  yield* cut(Buffer.from(`${before}"data":${beginning}`));
  for (let piece = await rest.next(); piece !== null; piece = await rest.next()) yield* cut(piece);
  yield Buffer.from('}');
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) yield bytes.subarray(from, from + PIECE_BYTES);
}
