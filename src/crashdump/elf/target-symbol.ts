/**
 * Since 5.0 ESP-IDF's build defines an empty symbol with the chip's name, as `IDF_TARGET_ESP32C3`
 * (tools/cmake/project.cmake).
 */
const PREFIX = Buffer.from('\0IDF_TARGET_ESP32');
const NAME_AT = '\0IDF_TARGET_'.length;
const LONGEST_NAME = 32;

/**
 * @param strings the names of the symbol table
 * @returns "esp32c3"; null when no symbol names the chip, or several do
 */
export function targetInSymbols(strings: Uint8Array): string | null {
  const found = new Set<string>();
  const bytes = Buffer.from(strings.buffer, strings.byteOffset, strings.byteLength);
  for (let at = bytes.indexOf(PREFIX); at >= 0; at = bytes.indexOf(PREFIX, at + 1)) {
    const name = bytes.subarray(at + NAME_AT, at + NAME_AT + LONGEST_NAME);
    const end = name.indexOf(0);
    const text = end < 0 ? '' : name.toString('latin1', 0, end);
    if (/^ESP32[A-Z0-9]*$/.test(text)) found.add(text.toLowerCase());
    if (found.size > 1) return null;
  }
  return [...found][0] ?? null;
}
