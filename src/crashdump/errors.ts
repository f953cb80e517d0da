/** An upload that is no core dump, or cannot be read. The message is one sentence for the user. */
export class UnreadableDump extends Error {
  override readonly name = 'UnreadableDump';
}
