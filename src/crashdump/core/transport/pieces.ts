/** One line of a text that carries a dump, decoded. */
export interface Piece {
  /** Null where characters were lost: the line keeps its place, its bytes are unknown. */
  bytes: Uint8Array | null;
  /** Bytes that it stands for; of a damaged line the likely number. */
  size: number;
  /** A word of the log may look like a short line: it is left out if the dump is whole without it. */
  isDoubtful: boolean;
  /** The same line as if a log line had been written into its middle; used when the checksum confirms it. */
  repaired: Uint8Array | null;
}

export interface DecodedLines {
  pieces: Piece[];
  /** Bytes of a full line. */
  lineSize: number;
  /** "base64 lines", "a hex dump" */
  encoding: string;
  /** Lines of the text that were taken for no part of the dump. */
  leftOut: number;
  /** The text ends with half a byte. */
  hasHalfByte?: boolean;
}

/** Bytes of which none is missing. */
export function whole(bytes: Uint8Array, isDoubtful = false): Piece {
  return { bytes, size: bytes.length, isDoubtful, repaired: null };
}

/** A place of `size` bytes that were lost, or of which only a repaired reading is left. */
export function damaged(size: number, repaired: Uint8Array | null = null, isDoubtful = false): Piece {
  return { bytes: null, size, isDoubtful, repaired };
}
