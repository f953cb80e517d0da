/**
 * Relay's global ids in the form of the GraphQL API: base64 of `Type:number`. Not in `graphql/`, because HTTP routes
 * use them too.
 */
export function encodeGlobalId(type: string, id: number): string {
  return Buffer.from(`${type}:${id}`).toString('base64');
}

/** Row ids are 32-bit in the database. */
export const MAX_ROW_ID = 2 ** 31 - 1;

/** @returns the number, or null when `globalId` is not a global id of this type */
export function decodeGlobalId(type: string, globalId: string): number | null {
  const match = /^([A-Za-z]+):([1-9]\d{0,15})$/.exec(Buffer.from(globalId, 'base64').toString('utf8'));
  if (match?.[1] !== type) return null;
  const id = Number(match[2]);
  return id <= MAX_ROW_ID ? id : null;
}
