/**
 * One row of the table that `npm run accuracy` prints: how many inputs of a kind were tried, and what became of them.
 * `wrong` is what nobody may see: an invented frame, a false value, a name that is not the function's.
 */
export interface AccuracyRow {
  kind: string;
  tried: number;
  right: number;
  /** Not right, but the report says what is missing and why. */
  namedMissing: number;
  wrong: number;
  /** The oracle, or why a part was not tried on this machine. */
  remark: string;
}
