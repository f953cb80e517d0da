import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { RandomAccessReader } from 'yauzl';

const CHUNK_BYTES = 64 * 1024;

/**
 * Reads a ZIP archive within the bounds of its file. yauzl passes offsets from the archive (64 bits in ZIP64) to its
 * reader unchecked. Its own reader passes them to Node, which throws outside of any promise: an archive of a hundred
 * bytes would end the server.
 */
export class ArchiveFile extends RandomAccessReader {
  readonly #handle: FileHandle;
  readonly #size: number;

  /** @param handle the caller closes it */
  constructor(handle: FileHandle, size: number) {
    super();
    this.#handle = handle;
    this.#size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#fill(buffer.subarray(offset, offset + length), position).then(
      () => callback(null),
      (error: Error) => callback(error),
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#chunks(start, end), { objectMode: false });
  }

  async *#chunks(start: number, end: number): AsyncGenerator<Buffer> {
    for (let position = start; position < end; position += CHUNK_BYTES) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position));
      await this.#fill(chunk, position);
      yield chunk;
    }
  }

  /** @throws Error for a range outside the file; the system's error */
  async #fill(target: Buffer, position: number): Promise<void> {
    const isInside =
      Number.isSafeInteger(position) && position >= 0 && position + target.length <= this.#size;
    if (!isInside) throw new Error(`it points outside its ${this.#size} bytes`);
    let filled = 0;
    while (filled < target.length) {
      const { bytesRead } = await this.#handle.read(
        target,
        filled,
        target.length - filled,
        position + filled,
      );
      if (bytesRead === 0) throw new Error('it ends too early');
      filled += bytesRead;
    }
  }
}
