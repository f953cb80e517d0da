/** An upload that is no core dump at all, or none that can be read. The message is one sentence for the user. */
export class UnreadableDump extends Error {
  override readonly name = 'UnreadableDump';
}
