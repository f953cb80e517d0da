export const DEFAULT_PAGE = 20;
/** A page of this many dumps stays small with all columns that lists read. Clients get more by the next page. */
export const MAX_PAGE = 200;
