import { knownLayout, startsWithElfMagic } from '../core/dump-header.js';
import { charsetOf } from '../core/transport/plain-text.js';
import { withoutJson } from './json-text.js';

/**
 * The upload as text without terminal colours, JSON taken apart; null when it is binary, a core dump, or a web page. Unlike
 * a dump, a text about a crash has names in it, so that UTF-8 matters; and no marker says that a console log with stray bytes
 * is text.
 */
export function textOfUpload(upload: Uint8Array): string | null {
  if (upload.length === 0 || startsWithElfMagic(upload, 0) || knownLayout(upload) !== undefined) return null;
  const bytes = Buffer.from(upload.buffer, upload.byteOffset, upload.byteLength);
  const charset = charsetOf(bytes) ?? 'latin1';
  if (charset === 'latin1' && isBinary(bytes)) return null;
  const text =
    charset === 'latin1'
      ? new TextDecoder().decode(upload)
      : new TextDecoder(CHARSETS[charset]).decode(upload.subarray(0, upload.length & ~1));
  return WEB_PAGE.test(text.slice(0, HEAD)) ? null : text;
}

/** @param text from `textOfUpload` */
export function withoutEncodings(text: string): string {
  // JSON may not have the control characters, and has others as escapes.
  return withoutColours(withoutJson(withoutColours(text))).replaceAll(STRANGE_BLANKS, ' ');
}

const CHARSETS = { utf16le: 'utf-16le', utf16be: 'utf-16be' } as const;
const HEAD = 1024;
const WEB_PAGE = /^\s{0,64}<(?:!doctype|html|head|body|\?xml)/i;

/** An ELF, or many control characters: a log has a few where a reset or a wrong baud rate disturbed the line. */
function isBinary(bytes: Buffer): boolean {
  if (bytes.includes('\x7fELF', 0, 'latin1')) return true;
  let controls = 0;
  for (const byte of bytes) if (byte < 0x20 && !(byte >= 0x07 && byte <= 0x0d) && byte !== 0x1b) controls++;
  return controls * 8 > bytes.length;
}

const ESCAPE = String.fromCharCode(0x1b);
const ANSI_SEQUENCE = new RegExp(`${ESCAPE}\\[[0-9;?]*[ -/]*[@-~]`, 'g');
/** Where the escape character was lost, or shown in its place. */
const BARE_COLOUR = /(?:\\(?:x1b|u001b|033|e)|\u241b|\^\[)?\[(?:[014];)?(?:0|1|3[0-7]|9[0-7])m/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced.
const CONTROLS = /[\u0000-\u0006\u000e-\u001f\u007f]/g;
const STRANGE_BLANKS = /[\u00a0\u2000-\u200a\u202f\u3000\t]/g;

/**
 * Other control characters stand for damaged ones: without them the characters around would be one number. A backspace,
 * which ESP-IDF prints instead of a function's name, takes the blank before it away.
 */
function withoutColours(text: string): string {
  const plain = text.includes(ESCAPE) ? text.replaceAll(ANSI_SEQUENCE, '') : text;
  return plain.replaceAll(BARE_COLOUR, '').replaceAll(' \b', '').replaceAll(CONTROLS, DAMAGED);
}

const DAMAGED = '\ufffd';
