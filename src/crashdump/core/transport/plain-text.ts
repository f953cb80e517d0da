/** What IDF prints around a dump on the UART (core_dump_uart.c); the number of `=` differs between sources. */
export const START_MARKER = 'CORE DUMP START';
export const END_MARKER = 'CORE DUMP END';

/** Bytes that are looked at to tell text from binary: cheap for every upload. */
const SAMPLE = 4096;

/** The upload as text, without colours and escapes; null when it is binary. */
export function asText(upload: Uint8Array): string | null {
  if (upload.length === 0) return null;
  const bytes = Buffer.from(upload.buffer, upload.byteOffset, upload.byteLength);
  const charset = charsetOf(bytes);
  return charset === null ? null : plain(decode(bytes, charset));
}

type Charset = 'latin1' | 'utf16le' | 'utf16be';

/**
 * PowerShell's `>` writes UTF-16. A console log can hold stray bytes of any kind, so the marker is sufficient;
 * otherwise the beginning must be printable.
 */
export function charsetOf(bytes: Buffer): Charset | null {
  const sample = bytes.subarray(0, SAMPLE);
  const [even, odd] = [countNuls(sample, 0), countNuls(sample, 1)];
  const half = sample.length / 2;
  // Behind a byte order mark every other byte of a log is NUL.
  if (bytes[0] === 0xff && bytes[1] === 0xfe && odd * 2 > half) return 'utf16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff && even * 2 > half) return 'utf16be';
  if (half >= 8 && odd > half * 0.8 && even < half * 0.2 && isPrintable(everyOther(sample, 0)))
    return 'utf16le';
  if (half >= 8 && even > half * 0.8 && odd < half * 0.2 && isPrintable(everyOther(sample, 1)))
    return 'utf16be';
  if (isPrintable(sample) || bytes.includes(START_MARKER, 0, 'latin1')) return 'latin1';
  // Whole characters only: the Buffer of browsers reads beyond a last single byte.
  if (bytes.subarray(0, bytes.length & ~1).includes(START_MARKER, 0, 'utf16le')) return 'utf16le';
  return null;
}

function decode(bytes: Buffer, charset: Charset): string {
  if (charset !== 'utf16be') return bytes.toString(charset);
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');
}

function countNuls(sample: Uint8Array, parity: 0 | 1): number {
  let count = 0;
  for (let at = parity; at < sample.length; at += 2) if (sample[at] === 0) count++;
  return count;
}

function everyOther(sample: Uint8Array, parity: 0 | 1): Uint8Array {
  return sample.filter((_, at) => at % 2 === parity);
}

/** No control bytes but those of logs and terminals, and mostly ASCII: a log may be in any language. */
function isPrintable(sample: Uint8Array): boolean {
  let ascii = 0;
  for (const byte of sample) {
    const isBlank = (byte >= 0x07 && byte <= 0x0d) || byte === 0x1b;
    if ((byte < 0x20 && !isBlank) || byte === 0x7f) return false;
    if (byte < 0x80) ascii++;
  }
  return ascii * 2 > sample.length;
}

const ESCAPE = String.fromCharCode(0x1b);
const ANSI_SEQUENCE = new RegExp(`${ESCAPE}\\[[0-9;?]*[ -/]*[@-~]`, 'g');
/** None may begin inside a run of backslashes: hostile runs would be read again and again. Line ends inside JSON, also of JSON inside JSON; `/`, `+` and `=` as careful encoders write them. */
const ESCAPED_LINE_END = /(?<!\\)\\+[rn]/g;
const ESCAPED_SLASH = /(?<!\\)\\+\//g;
const UNICODE_ESCAPE = /(?<!\\)\\+u00(2[bf]|3d)/gi;
const PERCENT_ESCAPE = /%(2b|2f|3d|0a|0d)/gi;

function plain(text: string): string {
  let result = text;
  if (result.includes(ESCAPE)) result = result.replaceAll(ANSI_SEQUENCE, '');
  if (result.includes('\\'))
    result = result
      .replaceAll(ESCAPED_LINE_END, '\n')
      .replaceAll(ESCAPED_SLASH, '/')
      .replaceAll(UNICODE_ESCAPE, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  if (result.includes('%'))
    result = result.replaceAll(PERCENT_ESCAPE, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
  return result;
}
