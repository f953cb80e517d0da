import { ByteReader } from '../bytes.js';

/**
 * The sections that can contain `esp_app_desc_t` (esp_app_format.h): a separate one, or, before IDF 4.2, the start of
 * the constants. The boot loader expects it there too.
 */
export const APP_DESCRIPTOR_SECTIONS: readonly string[] = ['.flash.appdesc', '.flash.rodata'];
/** The magic, then fixed texts. */
export const APP_DESCRIPTOR_SIZE = 144;
const MAGIC = 0xabcd5432;

/** `esp_app_desc_t`, the labels that the build wrote into the firmware (magic 0xABCD5432). */
export interface AppDescriptor {
  version: string;
  projectName: string;
  time: string;
  date: string;
  idfVersion: string;
}

/** @param bytes at least the first 144 of a section; null when they are no descriptor */
export function readAppDescriptor(bytes: Uint8Array): AppDescriptor | null {
  if (bytes.length < APP_DESCRIPTOR_SIZE) return null;
  if (new ByteReader('app descriptor', bytes).u32() !== MAGIC) return null;
  const text = (offset: number, length: number) => {
    const field = bytes.subarray(offset, offset + length);
    const end = field.indexOf(0);
    return new TextDecoder('utf-8').decode(end < 0 ? field : field.subarray(0, end));
  };
  return {
    version: text(16, 32),
    projectName: text(48, 32),
    time: text(80, 16),
    date: text(96, 16),
    idfVersion: text(112, 32),
  };
}
