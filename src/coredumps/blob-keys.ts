/** Key of a dump's blob: `{device_key}/{filename}`, as docs/configuration.md says. */
export function coredumpKey(deviceKey: string, filename: string): string {
  return `${deviceKey}/${filename}`;
}

/** `coredump_20260211T143000_123456Z.dmp`: UTC with microseconds. */
export function coredumpFilename(micros: bigint): string {
  const time = new Date(Number(micros / 1000n)).toISOString();
  const date = time.slice(0, 10).replaceAll('-', '');
  const clock = time.slice(11, 19).replaceAll(':', '');
  const fraction = String(micros % 1_000_000n).padStart(6, '0');
  return `coredump_${date}T${clock}_${fraction}Z.dmp`;
}
