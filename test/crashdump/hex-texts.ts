/** Bytes in the forms of the programs that print them. */

export const hex = (dump: Uint8Array) => Buffer.from(dump).toString('hex');
export const groups = (text: string, length: number) => text.match(new RegExp(`.{1,${length}}`, 'gs')) ?? [];
export const ascii = (bytes: Uint8Array) =>
  [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');

export function rows(dump: Uint8Array, size = 16): { at: number; bytes: Uint8Array }[] {
  return Array.from({ length: Math.ceil(dump.length / size) }, (_, index) => ({
    at: index * size,
    bytes: dump.subarray(index * size, index * size + size),
  }));
}

/** Equal lines as `*`, as hexdump and od write them. */
export function squeezed(
  dump: Uint8Array,
  line: (at: number, bytes: Uint8Array) => string,
  last: (at: number) => string,
) {
  const lines: string[] = [];
  let before = '';
  for (const { at, bytes } of rows(dump)) {
    const content = hex(bytes);
    if (content === before && bytes.length === 16) {
      if (lines.at(-1) !== '*') lines.push('*');
    } else lines.push(line(at, bytes));
    before = content;
  }
  return `${[...lines, last(dump.length)].join('\n')}\n`;
}

export const spaced = (bytes: Uint8Array) => groups(hex(bytes), 2).join(' ');
export const halves = (bytes: Uint8Array) =>
  `${spaced(bytes.subarray(0, 8))}  ${spaced(bytes.subarray(8))}`.trimEnd();
export const words = (bytes: Uint8Array) =>
  groups(hex(bytes), 4)
    .map((word) => (word.length === 4 ? word.slice(2) + word.slice(0, 2) : `00${word}`))
    .join(' ');

export function xxd(dump: Uint8Array, group: number): string {
  return rows(dump)
    .map(({ at, bytes }) => {
      const digits = groups(hex(bytes), group).join(' ');
      const width = group === 4 ? 39 : 47;
      return `${at.toString(16).padStart(8, '0')}: ${digits.padEnd(width)}  ${ascii(bytes)}\n`;
    })
    .join('');
}

export function xxdWords(dump: Uint8Array): string {
  return rows(dump)
    .map(({ at, bytes }) => {
      const digits = groups(hex(bytes), 8)
        .map((word) => Buffer.from(word, 'hex').reverse().toString('hex'))
        .join(' ');
      return `${at.toString(16).padStart(8, '0')}: ${digits.padEnd(35)}   ${ascii(bytes)}\n`;
    })
    .join('');
}

export function cArray(dump: Uint8Array, columns: number): string {
  const lines = rows(dump, columns).map(
    ({ bytes }) => `  ${[...bytes].map((byte) => `0x${two16(byte)}`).join(', ')}`,
  );
  return `unsigned char core_dmp[] = {\n${lines.join(',\n')}\n};\nunsigned int core_dmp_len = ${dump.length};\n`;
}

function two16(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
