/** `0x` and eight digits: the form of addresses and register values in a report. */
export function hex32(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}

/** The same without leading zeros, as Python's `{:x}`. */
export function plainHex(address: string): string {
  return `0x${Number.parseInt(address, 16).toString(16)}`;
}

/** Two digits a byte. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
