import { open } from 'node:fs/promises';
import type { RegisteredDevice } from '../device-list/register-devices.js';
import { messageOf } from '../errors.js';

/** A CSV file of tokens that only its owner may read. Tokens are added: those of an earlier run stay. */
export interface TokenFile {
  /**
   * Durable when it resolves: the server does not show these tokens again.
   * @throws Error that names the devices whose tokens are lost; nothing of them is in the file
   */
  add(devices: readonly RegisteredDevice[]): Promise<void>;
  close(): Promise<void>;
}

/** @throws Error with one sentence when the file cannot be written: before any token is made */
export async function openTokenFile(path: string): Promise<TokenFile> {
  try {
    const file = await open(path, 'a', 0o600);
    // Of a file that was there before, others might read.
    await file.chmod(0o600);
    if ((await file.stat()).size === 0) await file.appendFile('serial,key,token\n');
    return {
      async add(devices) {
        if (devices.length === 0) return;
        const { size } = await file.stat();
        try {
          await file.appendFile(
            devices.map(({ serial, key, token }) => `${serial ?? ''},${key},${token ?? ''}\n`).join(''),
          );
          await file.sync();
        } catch (error) {
          // The next run would add to a line that was cut.
          await file.truncate(size).catch(() => {});
          throw new Error(
            `--tokens ${path} cannot be written any more: ${messageOf(error)}; the tokens of ${rangeOf(devices)} are lost: ` +
              'rotate them',
          );
        }
      },
      close: () => file.close(),
    };
  } catch (error) {
    throw new Error(`--tokens ${path} cannot be written: ${messageOf(error)}`);
  }
}

function rangeOf(devices: readonly RegisteredDevice[]): string {
  const names = devices.map(({ serial, key }) => `"${serial ?? key}"`);
  return names.length === 1 ? `${names[0]}` : `${names.length} devices, ${names[0]} to ${names.at(-1)},`;
}
