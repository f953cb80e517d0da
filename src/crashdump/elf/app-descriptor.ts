import type { ByteReader } from '../bytes.js';
import type { AppDescriptor } from '../firmware-image.js';

/** `esp_app_desc_t` (esp_app_format.h): magic at 0, then fixed texts. */
export const APP_DESCRIPTOR_SECTION = '.flash.appdesc';
export const APP_DESCRIPTOR_SIZE = 144;
const MAGIC = 0xabcd5432;

/** @param reader at least the first 144 bytes of the section; null when they are no descriptor */
export function readAppDescriptor(reader: ByteReader): AppDescriptor | null {
  if (reader.length < APP_DESCRIPTOR_SIZE) return null;
  const text = (offset: number, length: number) => {
    const bytes = reader.bytes.subarray(offset, offset + length);
    const end = bytes.indexOf(0);
    return new TextDecoder('utf-8').decode(end < 0 ? bytes : bytes.subarray(0, end));
  };
  if (reader.slice('app descriptor', 0, 4).u32() !== MAGIC) return null;
  return {
    version: text(16, 32),
    projectName: text(48, 32),
    time: text(80, 16),
    date: text(96, 16),
    idfVersion: text(112, 32),
  };
}
