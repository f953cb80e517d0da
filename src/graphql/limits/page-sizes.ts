export const DEFAULT_PAGE = 20;
/** A page of dumps with all their light columns stays small; for more, ask for the next page. */
export const MAX_PAGE = 200;
