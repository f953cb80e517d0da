import { DomainError } from '../errors.js';

/** @throws DomainError TOO_LARGE at the first byte over the limit (MAX_COREDUMP_BYTES); nothing after it is read */
export async function* limitedBytes(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new DomainError('TOO_LARGE', `The crash is larger than ${maxBytes} bytes (MAX_COREDUMP_BYTES).`);
    }
    yield chunk;
  }
}
