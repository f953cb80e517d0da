import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { messageOf } from '../../errors.js';
import { makeFolder } from './durable-folder.js';

/**
 * Makes the folder that server and sidecar share.
 * @param setting the setting or option with its path, for the error
 * @throws Error with one clear sentence
 */
export async function prepareTransferFolder(
  folder: string,
  setting = 'PARSE_SIDECAR_XFER_DIR, --xfer-dir',
): Promise<void> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(`${setting}: the transfer folder ${folder} cannot be written: ${reason}`, {
      cause: error,
    });
  }
}
