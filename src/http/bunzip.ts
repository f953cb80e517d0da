import { setImmediate as turn } from 'node:timers/promises';
import Bunzip from 'seek-bzip';
import { badInput, DomainError } from '../errors.js';

/**
 * The bytes of `source`, decompressed if they begin as a bzip2 archive does. An archive is held in memory; other bytes
 * pass through.
 *
 * @param maxBytes of the archive, and of what is in it
 * @throws DomainError TOO_LARGE, BAD_USER_INPUT (a broken archive), and whatever `source` throws
 */
export async function* bunzipped(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  let archive: Uint8Array[] | null = null;
  let size = 0;
  let isPlain = false;
  for await (const chunk of source) {
    if (isPlain) {
      yield chunk;
      continue;
    }
    const bytes: Uint8Array = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (archive === null && bytes.length < MAGIC_BYTES) {
      head = bytes;
      continue;
    }
    head = new Uint8Array();
    if (archive === null && !isBzip2(bytes)) {
      isPlain = true;
      yield bytes;
      continue;
    }
    size += bytes.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    archive ??= [];
    archive.push(bytes);
  }
  if (archive !== null) yield* decompressed(Buffer.concat(archive), maxBytes);
  else if (head.length > 0) yield head;
}

/** "BZh", then the size of the blocks. */
const MAGIC_BYTES = 4;

function isBzip2([b, z, h, size = 0]: Uint8Array): boolean {
  return b === 0x42 && z === 0x5a && h === 0x68 && size >= 0x31 && size <= 0x39;
}

/** A block at a time, so that the event loop has its turn in between. An archive may have several streams (pbzip2). */
async function* decompressed(archive: Uint8Array, maxBytes: number): AsyncGenerator<Uint8Array> {
  const input = inputOf(archive);
  const output = outputUpTo(maxBytes);
  try {
    const decoder = new Bunzip(input, output);
    for (let streams = 1; ; streams += 1) {
      while (decoder._init_block()) {
        decoder._read_bunzip();
        yield output.taken();
        await turn();
      }
      if (decoder.reader.read(32) >>> 0 !== decoder.streamCRC) throw new Error('the checksum is wrong');
      if (input.isAtEnd()) return;
      if (streams === MAX_STREAMS) throw tooManyStreams();
      decoder._start_bunzip(input, output);
      await turn();
    }
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw badInput('The file begins as a bzip2 archive does, but it is cut or broken.');
  }
}

/**
 * pbzip2 makes a stream of each 100 to 900 kB. One of a few bytes takes milliseconds too, so a small archive of nothing
 * else could keep a processor busy for minutes.
 */
const MAX_STREAMS = 1_000;

function tooManyStreams(): DomainError {
  return badInput(`The bzip2 archive has more than ${MAX_STREAMS} streams: compress the file at once.`);
}

function inputOf(bytes: Uint8Array) {
  let at = 0;
  const readByte = () => {
    const byte = bytes[at++];
    // The decoder would read zeros for ever.
    if (byte === undefined) throw new Error('the archive is cut');
    return byte;
  };
  return {
    readByte,
    read(buffer: Uint8Array, offset: number, length: number) {
      for (let index = 0; index < length; index++) buffer[offset + index] = readByte();
      return length;
    },
    isAtEnd: () => at >= bytes.length,
  };
}

/** One small block may inflate to a thousand times its size and more: the limit is checked at every byte. */
function outputUpTo(maxBytes: number) {
  let buffer = Buffer.alloc(64 * 1024);
  let length = 0;
  let total = 0;
  return {
    writeByte(byte: number) {
      if (++total > maxBytes) throw tooLarge(maxBytes);
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.alloc(length)]);
      buffer[length++] = byte;
    },
    taken(): Uint8Array {
      const bytes = Uint8Array.from(buffer.subarray(0, length));
      length = 0;
      return bytes;
    },
  };
}

function tooLarge(maxBytes: number): DomainError {
  return new DomainError(
    'TOO_LARGE',
    `The bzip2 archive, or what is in it, has more than ${maxBytes} bytes.`,
  );
}
