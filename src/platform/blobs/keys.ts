/**
 * Segments of a blob's key. None starts with a dot: this excludes `.` and `..`, and reserves names such as `.incoming`
 * for the storage.
 */
const SEGMENT = /^[A-Za-z0-9_+-][A-Za-z0-9._+-]*$/;

export function isKeySegment(name: string): boolean {
  return SEGMENT.test(name);
}

/** @throws Error (a bug, because callers validate the input of users) when `key` is not a valid key */
export function assertKey(key: string): void {
  if (!key.split('/').every(isKeySegment)) throw new Error(`not a valid blob key: ${JSON.stringify(key)}`);
}
