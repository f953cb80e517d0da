const UNITS = ['B', 'KiB', 'MiB', 'GiB'];

export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${unitText(count, one, many)}`;
}

/** The noun alone, for a number that stands elsewhere. */
export function unitText(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}
