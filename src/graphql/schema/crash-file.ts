import type { FileUpload } from 'graphql-upload-minimal';
import { badInput, DomainError } from '../../errors.js';

/** The bytes of a crash, from a file or from a text. */
export interface CrashFile {
  /** The input that has them. */
  field: 'file' | 'text';
  body: AsyncIterable<Uint8Array>;
}

export const FILE =
  'The crash as a file of a GraphQL multipart request: a core dump in any of its formats, a log with one, the text of a ' +
  'panic, or the summary of a crash as JSON.';
export const TEXT =
  'The same as a text. A request has at most 128 KiB of JSON, and its texts have no control characters: send a longer text, ' +
  'or one with the colours of a terminal, as a file.';

/**
 * Runs work on the bytes of an input. What it leaves of a file is discarded: its form is read to its end.
 * @throws DomainError BAD_USER_INPUT unless exactly one of the two is given, and whatever `work` throws
 */
export async function withCrashFile<Result>(
  { file, text }: { file?: Promise<FileUpload> | null | undefined; text?: string | null | undefined },
  work: (crash: CrashFile) => Promise<Result>,
): Promise<Result> {
  if ((file == null) === (text == null)) {
    throw badInput('Give exactly one of "file" and "text".', { field: 'file' });
  }
  if (file == null) return work({ field: 'text', body: bytesOf(text ?? '') });
  const stream = (await file).createReadStream();
  try {
    return await work({
      field: 'file',
      body: whole(
        stream.iterator({ destroyOnReturn: false }),
        () => 'truncated' in stream && stream.truncated === true,
      ),
    });
  } finally {
    // busboy waits forever on a stream that is not read.
    stream.on('error', () => {}).resume();
  }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** graphql-upload-minimal cuts a file at its limit without an error. */
async function* whole(body: AsyncIterable<Uint8Array>, isCut: () => boolean): AsyncGenerator<Uint8Array> {
  yield* body;
  if (isCut()) throw new DomainError('TOO_LARGE', 'The file is larger than the server takes.');
}
