/** A failure after which a retry may succeed: no connection, a server that is overloaded or restarts. */
export class TemporaryFailure extends Error {
  override readonly name = 'TemporaryFailure';
}
