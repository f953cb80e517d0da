/** PostgreSQL's text cannot hold a NUL, which text from a device's memory may have; JSON writes it as an escape. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
