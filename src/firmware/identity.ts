import { type FileHandle, open } from 'node:fs/promises';
import { type FirmwareIdentity, readFirmwareIdentity, UnreadableFirmware } from '../crashdump/index.js';
import { badInput } from '../errors.js';
import type { IncomingBlob } from '../platform/blobs/blob-store.js';
import { storageCall } from '../platform/blobs/storage-errors.js';

/**
 * Reads what identifies an ELF, in small pieces.
 * @throws DomainError BAD_USER_INPUT when it is not firmware of an ESP32-family device; UNAVAILABLE
 */
export async function identify(elf: IncomingBlob): Promise<FirmwareIdentity> {
  const handle = await storageCall(open(await elf.file(), 'r'));
  try {
    return await readFirmwareIdentity(
      (offset, length) => storageCall(readAt(handle, offset, length)),
      elf.size,
    );
  } catch (error) {
    if (!(error instanceof UnreadableFirmware)) throw error;
    throw badInput(
      `${error.message} So it is not the firmware of an ESP32-family device: upload the .elf file that the ESP-IDF build made.`,
    );
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}
