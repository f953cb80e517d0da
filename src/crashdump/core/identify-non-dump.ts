import { MULTIPART } from './identify-text.js';

/**
 * Names in one sentence what an upload is when it is no core dump. Devices send the content of their partition, and
 * people send wrong files: the sentence saves them the search for the mistake.
 * @param bytes at least 8 bytes
 */
export function identifyNonDump(bytes: Uint8Array): string {
  const named = nameNonDump(bytes);
  if (named !== null) return named;
  if (looksEncrypted(bytes)) {
    return 'The bytes look encrypted: read the dump through the running application (or decrypt the partition), not from raw flash.';
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (text.includes('ESP_CORE_DUMP_INFO', 0, 'latin1'))
    return 'This is a part of a core dump: its beginning is missing.';
  const versionWord = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);
  return `This is no ESP core dump: its version word 0x${versionWord.toString(16).padStart(8, '0')} is not known.`;
}

/** The same for what has an unmistakable sign; null for other bytes. Cheap: all but fillings are seen at the start. */
export function nameNonDump(bytes: Uint8Array): string | null {
  if (isFilledWith(bytes, 0xff))
    return 'The core dump partition is erased (all bytes are 0xFF): there is no dump in it.';
  if (isFilledWith(bytes, 0x00)) return 'All bytes are zero: there is no core dump in it.';
  const format = FORMATS.find(({ magic, at = 0 }) => startsWith(bytes, magic, at));
  if (format) return `This is ${format.name}, not a core dump of ESP-IDF.`;
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).toString('latin1');
  if (head.startsWith('--') && /content-disposition:/i.test(head)) return MULTIPART;
  if (lacksBytesOfForms(bytes, head)) return FORM_ENCODED;
  // An image in flash starts with 0xE9 and at most 16 segments (esp_image_header_t).
  if (bytes[0] === 0xe9 && (bytes[1] ?? 0xff) <= 16) return 'This is an ESP firmware image, not a core dump.';
  if (isNvs(bytes)) return 'This is an NVS partition, not a core dump.';
  const memfault = head.indexOf('CORE');
  // After a short header of its transport, with the version of its format behind the magic.
  if (memfault >= 1 && memfault <= 12 && [1, 2].includes(bytes[memfault + 4] ?? 0))
    return 'This is a chunk of Memfault, not a core dump.';
  return null;
}

const FORM_ENCODED =
  'The bytes 0, CR and LF of this dump are missing, as curl -d @FILE drops them: send it with curl --data-binary @FILE.';

/** `curl -d` drops NUL, CR and LF. Every real dump has a NUL among its first bytes. */
function lacksBytesOfForms(bytes: Uint8Array, head: string): boolean {
  const elf = head.indexOf('\x7fELF\x01\x01\x01');
  if (elf < 1 || elf > 24) return false;
  return !bytes.includes(0) && !bytes.includes(0x0a) && !bytes.includes(0x0d);
}

const FORMATS: readonly { magic: readonly number[]; at?: number; name: string }[] = [
  { magic: [0x1f, 0x8b], name: 'a gzip file' },
  { magic: [0x50, 0x4b, 0x03, 0x04], name: 'a ZIP file' },
  { magic: [0x89, 0x50, 0x4e, 0x47], name: 'a PNG image' },
  { magic: [0xff, 0xd8, 0xff], name: 'a JPEG image' },
  { magic: [0x47, 0x49, 0x46, 0x38], name: 'a GIF image' },
  { magic: [0x25, 0x50, 0x44, 0x46], name: 'a PDF document' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: 'a zstd file' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], name: 'an xz file' },
  { magic: [0x42, 0x5a, 0x68], name: 'a bzip2 file' },
  { magic: [0x37, 0x7a, 0xbc, 0xaf], name: 'a 7-Zip file' },
  { magic: [0x4d, 0x44, 0x4d, 0x50], name: 'a minidump (MDMP)' },
  { magic: [0x4d, 0x5a, 0x90], name: 'a Windows program' },
  // z_coredump header: 'Z' 'E', then its version (Zephyr debug/coredump.h).
  { magic: [0x5a, 0x45, 0x01, 0x00], name: 'a core dump of Zephyr' },
  { magic: [0x5a, 0x45, 0x02, 0x00], name: 'a core dump of Zephyr' },
  { magic: [0x43, 0x4f, 0x52, 0x45, 0x01, 0x00], name: 'a core dump of Memfault' },
  { magic: [0x43, 0x4f, 0x52, 0x45, 0x02, 0x00], name: 'a core dump of Memfault' },
  { magic: [0xaa, 0x50, 0x01], name: 'a partition table of an ESP chip' },
  { magic: [0xaa, 0x50, 0x00], name: 'a partition table of an ESP chip' },
  { magic: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], name: 'an SQLite database' },
  { magic: [0x75, 0x73, 0x74, 0x61, 0x72], at: 257, name: 'a tar archive' },
];

/** The state of a page, its number, then the version of NVS (nvs_page.hpp). */
function isNvs(bytes: Uint8Array): boolean {
  const [state, ...rest] = bytes.subarray(0, 4);
  const isState = state === 0xfe || state === 0xfc || state === 0xf8;
  return isState && rest.every((byte) => byte === 0xff) && ((bytes[8] ?? 0) === 0xfe || bytes[8] === 0xff);
}

function isFilledWith(bytes: Uint8Array, value: number): boolean {
  return bytes.every((byte) => byte === value);
}

function startsWith(bytes: Uint8Array, magic: readonly number[], at: number): boolean {
  return magic.every((byte, index) => bytes[at + index] === byte);
}

/**
 * Encrypted flash has no pattern: its byte values are evenly distributed, 7.2 bits of entropy per byte for 256 bytes
 * and
 * 7.95 for 4096. Dumps have 3 to 6 bits per byte, because they contain zeros and the same addresses many times.
 */
function looksEncrypted(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(0, 4096);
  if (sample.length < 256) return false;
  const counts = new Uint32Array(256);
  for (const byte of sample) counts[byte] = (counts[byte] ?? 0) + 1;
  let bits = 0;
  for (const count of counts) {
    if (count > 0) bits -= (count / sample.length) * Math.log2(count / sample.length);
  }
  return bits > 7;
}
