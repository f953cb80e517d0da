import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';

type TransferFile<Contents> =
  | { status: 'read'; contents: Contents }
  | { status: 'missing'; reason: string }
  | { status: 'refused'; reason: string };

/** Limit of an unpacked ELF by default: four times `MAX_FIRMWARE_BYTES` (docs/configuration.md). */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** True for the name of a file directly inside a folder, on every operating system. */
export function isTransferName(name: string): boolean {
  return /^[A-Za-z0-9._+-]{1,255}$/.test(name) && name !== '.' && name !== '..';
}

/**
 * Reads one file of the transfer folder, and never one outside it: the name has no folder part, so only its last part
 * could be a link, and O_NOFOLLOW does not open links. O_NONBLOCK prevents that a named pipe blocks the reader.
 * @param name a name that `isTransferName` accepts
 * @param read receives the file's descriptor, which is open during the call
 */
export function readTransferFile<Contents>(
  xferDir: string,
  name: string,
  read: (file: number) => Contents,
): TransferFile<Contents> {
  let file: number;
  try {
    file = openSync(
      join(xferDir, name),
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
  } catch (error) {
    return notOpened(name, error);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return refused(`${name} is not a regular file`);
    if (stat.size > MAX_FILE_BYTES) return refused(`${name} is larger than ${MAX_FILE_BYTES} bytes`);
    return { status: 'read', contents: read(file) };
  } finally {
    closeSync(file);
  }
}

function notOpened(name: string, error: unknown): TransferFile<never> {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return { status: 'missing', reason: `there is no file ${name} in the transfer folder` };
  }
  if (code === 'ELOOP') return refused(`${name} is a link`);
  throw error;
}

function refused(reason: string): TransferFile<never> {
  return { status: 'refused', reason };
}
