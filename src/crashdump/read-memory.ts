/** Reads bytes by address; null unless all of them are available. */
export type ReadMemory = (address: number, length: number) => Uint8Array | null;

/** The little-endian word at `address`; null when it is not available. */
export function readWord(read: ReadMemory, address: number): number | null {
  const bytes = read(address, 4);
  if (!bytes) return null;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}
