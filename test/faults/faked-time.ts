import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

/** Where Debian's package libfaketime puts it. */
const LIBRARIES = ['x86_64', 'aarch64'].map((arch) => `/usr/lib/${arch}-linux-gnu/faketime/libfaketime.so.1`);

export const NO_FAKED_TIME = 'no libfaketime on this machine (Debian: apt-get install libfaketime)';

/**
 * Lets the clock on the wall jump for programs that are started with `environment`, not the one that only goes on.
 *
 * @param path of the file that says how far the clock is off
 * @returns null where libfaketime is not installed
 */
export async function fakedTime(path: string) {
  const library = LIBRARIES.find(existsSync);
  if (library === undefined) return null;
  const jump = (seconds: number) => writeFile(path, `${seconds >= 0 ? '+' : ''}${seconds}\n`);
  await jump(0);
  return {
    jump,
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_NO_CACHE: '1',
      // It would take a lock that a server and its sidecar share, and one that is killed would never give it back.
      NO_FAKE_STAT: '1',
    },
  };
}
