import { type FileHandle, open } from 'node:fs/promises';
import { type FirmwareIdentity, readFirmwareIdentity, UnreadableFirmware } from '../crashdump/index.js';
import { badInput } from '../errors.js';
import { storageCall } from '../platform/blobs/storage-errors.js';
import type { Db } from '../platform/database/types.js';
import type { Firmware } from './types.js';
import { textOfWarnings } from './warnings.js';

/** What an ELF says of itself, as columns of its build. */
export type Examined = Pick<Firmware, 'chip' | 'elfVersion'> & { warnings: string };

/**
 * Examines an ELF in small pieces.
 * @throws DomainError BAD_USER_INPUT when it is not firmware of an ESP32-family device; UNAVAILABLE
 */
export async function examine(path: string, size: number): Promise<Examined> {
  const { chip, appDescriptor, lacks } = await identify(path, size);
  const elfVersion = appDescriptor === null || appDescriptor.version === '' ? null : appDescriptor.version;
  return { chip, elfVersion, warnings: textOfWarnings(lacks) };
}

/** @returns the row with what was found; the given one when the build was deleted meanwhile */
export async function storeExamined(
  db: Db,
  firmware: Firmware,
  { chip, elfVersion, warnings }: Examined,
  now: Date,
): Promise<Firmware> {
  const [changed] = await db.firmware.updateManyAndReturn({
    where: { id: firmware.id },
    data: { chip: firmware.chip ?? chip, elfVersion, warnings, updatedAt: now },
  });
  return changed ?? firmware;
}

async function identify(path: string, size: number): Promise<FirmwareIdentity> {
  const handle = await storageCall(open(path, 'r'));
  try {
    return await readFirmwareIdentity((offset, length) => storageCall(readAt(handle, offset, length)), size);
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
