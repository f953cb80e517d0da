import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { badInput, messageOf } from '../errors.js';

/** The file of a multipart form while it arrives. */
export interface FormFile {
  readonly stream: Readable;
  /** The other fields, when the whole form has arrived. */
  readonly fields: Promise<ReadonlyMap<string, string>>;
}

const LIMITS = { files: 1, fields: 10, fieldSize: 1024, parts: 20 };

/**
 * Reads a multipart form with one file, in the field `name`, as a stream.
 *
 * @param body the bytes of the request; on an error its rest is left unread
 * @param take receives the file, and reads it to its end
 * @throws DomainError BAD_USER_INPUT (no form, or no file in it), and whatever `body` and `take` throw
 */
export async function readFormFile<T>(
  { headers }: Pick<IncomingMessage, 'headers'>,
  body: AsyncIterable<Uint8Array>,
  name: string,
  take: (file: FormFile) => Promise<T>,
): Promise<T> {
  const parser = openForm(headers);
  const fields = new Map<string, string>();
  const ended = once(parser, 'close').then(() => fields);
  let failure: { error: unknown } | null = null;
  let taken: Promise<T> | null = null;
  const fail = (error: unknown) => {
    failure ??= { error };
  };
  const failed = new Promise<void>((resolve) => {
    parser.on('error', (error) => {
      fail(badInput(`The multipart form is not valid: ${messageOf(error)}.`));
      resolve();
    });
    parser.on('field', (field, value) => fields.set(field, value));
    parser.on('file', (field, stream) => {
      stream.on('error', () => {});
      if (field !== name || taken !== null) {
        stream.resume();
        return;
      }
      taken = take({ stream, fields: ended });
      taken.catch((error: unknown) => {
        fail(error);
        resolve();
      });
    });
  });
  ended.catch(() => {});

  try {
    for await (const chunk of body) {
      throwFailure();
      if (!parser.write(chunk)) await Promise.race([once(parser, 'drain'), failed]);
    }
    throwFailure();
    parser.end();
    await Promise.race([ended, failed]);
    throwFailure();
  } catch (error) {
    // The file fails with it: `take` would wait for its rest for ever.
    parser.destroy();
    await settled(taken);
    throw error;
  }
  const result: Promise<T> | null = taken;
  if (result === null) throw badInput(`The form has no file: send it in the field "${name}".`);
  return result;

  function throwFailure(): void {
    if (failure !== null) throw failure.error;
  }
}

async function settled(work: Promise<unknown> | null): Promise<void> {
  await work?.catch(() => {});
}

function openForm(headers: IncomingMessage['headers']) {
  try {
    return busboy({ headers, limits: LIMITS });
  } catch {
    throw badInput('Send the file in a multipart form, for example with curl -F file=@FILE.');
  }
}
