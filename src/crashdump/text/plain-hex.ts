/** Without leading zeros, as Python's `{:x}`. */
export function plainHex(address: string): string {
  return `0x${Number.parseInt(address, 16).toString(16)}`;
}
