/**
 * Names in one sentence what an upload is when it is no core dump. Devices send the content of their partition, and
 * people send wrong files: the sentence saves them the search for the mistake.
 * @param bytes at least 8 bytes
 */
export function identifyNonDump(bytes: Uint8Array): string {
  if (isFilledWith(bytes, 0xff))
    return 'The core dump partition is erased (all bytes are 0xFF): there is no dump in it.';
  if (isFilledWith(bytes, 0x00)) return 'All bytes are zero: there is no core dump in it.';
  if (startsWith(bytes, [0x1f, 0x8b])) return 'This is a gzip file, not a core dump.';
  if (startsWith(bytes, [0x50, 0x4b, 0x03, 0x04])) return 'This is a ZIP file, not a core dump.';
  if (looksEncrypted(bytes)) {
    return 'The bytes look encrypted: read the dump through the running application (or decrypt the partition), not from raw flash.';
  }
  // An image in flash starts with 0xE9 and at most 16 segments (esp_image_header_t).
  if (bytes[0] === 0xe9 && (bytes[1] ?? 0xff) <= 16) return 'This is an ESP firmware image, not a core dump.';
  const versionWord = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);
  return `This is no ESP core dump: its version word 0x${versionWord.toString(16).padStart(8, '0')} is not known.`;
}

function isFilledWith(bytes: Uint8Array, value: number): boolean {
  return bytes.every((byte) => byte === value);
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
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
