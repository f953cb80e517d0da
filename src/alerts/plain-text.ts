/**
 * Texts of an alert come from devices: an attacker with a device can name a task `[x](https://…)`, or send colours of a
 * terminal. Each is made one short line here, and each format then escapes the markup of its target.
 */

/** One line of limited length, without control sequences, changes of the writing direction and invisible characters. */
export function oneLine(text: string, maxLength = MAX_LINE): string {
  const plain = text
    // What is cut away below need not be looked at.
    .slice(0, maxLength * 20)
    .replace(/\p{Cs}/gu, '\ufffd')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are removed, colours of a terminal first
    .replace(/\u001b\[[\d;?]*[ -/]*[@-~]/g, '')
    .replace(/\p{Zl}|\p{Zp}|\p{Cc}/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .replace(/ {2,}/g, ' ')
    .trim();
  return cut(plain, maxLength);
}

const MAX_LINE = 300;

/** Cuts between characters. @param maxLength in UTF-16 units, as the targets count */
export function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = maxLength - 1;
  const isBetweenHalves = /[\ud800-\udbff]/.test(text.charAt(end - 1));
  return `${text.slice(0, isBetweenHalves ? end - 1 : end)}…`;
}

/** Escapes a text, and cuts as much of the text that the escaped one has at most this length. */
export function escapedWithin(text: string, inert: (text: string) => string, maxLength: number): string {
  let plain = text;
  let escaped = inert(plain);
  while (escaped.length > maxLength && plain !== '') {
    const keep = Math.floor((plain.length * maxLength) / escaped.length);
    plain = cut(plain, Math.max(0, Math.min(keep, plain.length - 1)));
    escaped = inert(plain);
  }
  return escaped;
}

/** A zero-width space: breaks up what a target would make a link or a mention, and has no way to escape. */
export const INVISIBLE = '\u200b';

/** Suffixes of sources, which are no names of hosts for anyone who reads a backtrace. */
const BARE_HOST =
  /(?<=\bwww)[.](?=\w)|(?<=[\p{L}\p{N}_])[.](?=\p{L}{2})(?!(?:cpp|cc|cxx|hpp|hh|hxx|ipp|inc|ino|rs|zig|asm)\b)/giu;

/** Bare addresses of pages and mailboxes, which many programs make links, are broken up. */
export function withoutLinks(text: string): string {
  return text
    .replace(/:(?=\/\/)/g, `:${INVISIBLE}`)
    .replace(/@(?=\w)/g, `@${INVISIBLE}`)
    .replace(BARE_HOST, `.${INVISIBLE}`);
}
