/** True for an error of a system call with one of these codes: `hasCode(error, 'ENOENT', 'ENOTDIR')`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return isSystemError(error) && error.code !== undefined && codes.includes(error.code);
}

/** An error of a system call, unlike Node's errors about arguments, which are bugs. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
