/** Root fields that look for one thing: null when there is none, without an error. */
type Finder =
  | 'alertRule'
  | 'coredump'
  | 'crashGroup'
  | 'device'
  | 'deviceModel'
  | 'firmware'
  | 'node'
  | 'regrouping';

/** The data of an answer in which no root field failed. Root fields are nullable, because each can fail alone. */
export type Whole<Data> = {
  [Root in keyof Data]: Root extends Finder ? Data[Root] : NonNullable<Data[Root]>;
};
