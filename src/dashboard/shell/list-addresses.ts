/**
 * The filters with which each list was last seen in this tab. The way back from an item, by Escape or by the crumbs,
 * leads to the list as it was.
 */
const seen = new Map<string, string>();

export function rememberList(path: string, search: string): void {
  seen.set(path, search);
}

/** @param path of a list: `/dumps` */
export function addressOfList(path: string): string {
  const search = seen.get(path) ?? '';
  return search === '' ? path : `${path}?${search}`;
}
