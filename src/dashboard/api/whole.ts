/** Roots that are null only when they failed: pages of lists, payloads of mutations, and these. */
type Sure =
  | { __typename?: `${string}Connection` | `${string}Payload` | 'SearchResult' | 'Viewer' }
  | readonly unknown[];

/**
 * The data of an answer in which no root field failed. Root fields are nullable, because each can fail alone; those that
 * look for one thing (`device(key:)`) are null too when there is none.
 */
export type Whole<Data> = {
  [Root in keyof Data]: NonNullable<Data[Root]> extends Sure ? NonNullable<Data[Root]> : Data[Root];
};
