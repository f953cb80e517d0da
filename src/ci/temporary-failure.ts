/** A failure after which a retry may succeed: no connection, a server that is overloaded or restarts. */
export class TemporaryFailure extends Error {
  override readonly name = 'TemporaryFailure';
}

/** Why a request got no answer, in one line. @returns a TemporaryFailure unless a retry cannot mend it */
export function connectionFailure({ origin, protocol }: URL, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  // OpenSSL's words for an answer that is not TLS; they have several lines, and addresses in memory.
  if (protocol === 'https:' && /wrong version number|packet length too long/.test(message))
    return new Error(
      `${origin} does not speak HTTPS: begin --url with http://, or name the proxy that has HTTPS`,
    );
  return new TemporaryFailure(`${origin}: ${message}`);
}
