import { readFileSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { type FirmwareImage, Malformed, openFirmware, UnreadableFirmware } from '../crashdump/index.js';

/** A file of the command line that cannot be used. The message names it, in one line. */
export class UnreadableInput extends Error {
  override readonly name = 'UnreadableInput';
}

export function openImage(path: string): FirmwareImage {
  const bytes = readInput(path);
  try {
    return openFirmware(bytes);
  } catch (error) {
    if (error instanceof UnreadableFirmware || error instanceof Malformed)
      throw new UnreadableInput(`${path}: ${error.message}`);
    throw error;
  }
}

/** Synchronous, because a command has no other work meanwhile. */
export function readInput(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UnreadableInput(`${path}: ${systemMessage(error)}`);
  }
}

/** All of standard input, to its end. */
export function readStdin(): Buffer {
  try {
    return readFileSync(process.stdin.fd);
  } catch (error) {
    throw new UnreadableInput(`standard input: ${systemMessage(error)}`);
  }
}

/** The system's own words: "no such file or directory". */
export function systemMessage(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  const description = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1];
  return description ?? message;
}
