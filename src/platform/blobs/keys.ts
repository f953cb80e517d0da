/**
 * Segments of a blob's key. None begins with a dot, which keeps `.` and `..` out and leaves names such as `.incoming`
 * to the storage itself.
 */
const SEGMENT = /^[A-Za-z0-9_+-][A-Za-z0-9._+-]*$/;

export function isKeySegment(name: string): boolean {
  return SEGMENT.test(name);
}

/** @throws Error (a bug: callers check what users give them) when `key` could name anything but a blob */
export function assertKey(key: string): void {
  if (!key.split('/').every(isKeySegment)) throw new Error(`not a key of a blob: ${JSON.stringify(key)}`);
}
