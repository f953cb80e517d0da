import { UnreadableDump } from '../errors.js';
import type { ReportWarning } from '../warning.js';

/** ESP-IDF prints the dump between these lines on the UART (core_dump_uart.c). */
const START_MARKER = /=+ CORE DUMP START =+/;
const END_MARKER = /=+ CORE DUMP END =+/;

const BASE64_LINE = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const HEX_TEXT = /^(?:0x)?[0-9a-fA-F\s]+$/;

/**
 * Decodes the text form of a dump: base64 as printed on a console, or hexadecimal. Null when `bytes` is not text.
 * @throws UnreadableDump when it is text without a dump
 */
export function decodeTextEncoding(
  bytes: Uint8Array,
): { bytes: Uint8Array; warnings: ReportWarning[] } | null {
  if (!looksLikeText(bytes)) return null;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const start = START_MARKER.exec(text);
  if (!start && HEX_TEXT.test(text)) return decodeHex(text);

  const afterStart = start ? text.slice(start.index + start[0].length) : text;
  const end = END_MARKER.exec(afterStart);
  const body = end ? afterStart.slice(0, end.index) : afterStart;
  return decodeBase64Lines(body, start !== null && end === null);
}

/** A console log can contain stray bytes around the dump, so the marker is sufficient; otherwise all must be ASCII. */
function looksLikeText(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64 * 1024)).toString(
    'latin1',
  );
  if (START_MARKER.test(head)) return true;
  return bytes.every(
    (byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09,
  );
}

/** Every line is encoded and padded separately; lines that are not base64 are log output in between. */
function decodeBase64Lines(
  body: string,
  endIsMissing: boolean,
): { bytes: Uint8Array; warnings: ReportWarning[] } {
  const warnings: ReportWarning[] = [];
  const decoded: Buffer[] = [];
  let skipped = 0;
  for (const rawLine of body.split('\n')) {
    const line = rawLine.trim();
    if (line === '') continue;
    if (BASE64_LINE.test(line)) decoded.push(Buffer.from(line, 'base64'));
    else skipped++;
  }
  if (decoded.length === 0)
    throw new UnreadableDump('This is text, but no base64 or hexadecimal core dump is in it.');
  if (skipped > 0)
    warnings.push({
      code: 'TEXT_WITH_DUMP',
      message: `${skipped} lines of the base64 text are no base64 and were left out.`,
    });
  if (endIsMissing)
    warnings.push({ code: 'DUMP_CUT', message: 'The base64 text has no CORE DUMP END line; it may be cut.' });
  return { bytes: Buffer.concat(decoded), warnings };
}

function decodeHex(text: string): { bytes: Uint8Array; warnings: ReportWarning[] } {
  const digits = text.replace(/^0x/, '').replaceAll(/\s/g, '');
  const warnings: ReportWarning[] =
    digits.length % 2 === 0
      ? []
      : [
          {
            code: 'DUMP_CUT',
            message: 'The hexadecimal text has an odd number of digits; the last was left out.',
          },
        ];
  // Node stops at an incomplete last byte.
  return { bytes: Buffer.from(digits, 'hex'), warnings };
}
