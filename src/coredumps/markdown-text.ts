/**
 * Texts of devices in Markdown. None of them can become markup: not a heading, a link, an image, HTML, a mention of a
 * person, and none can end the code that it stands in. CommonMark and GitHub's additions.
 */

/** Control characters, and those that change the order of text or are not seen. */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
/** Between two characters: without it they would be a link, a mention or the number of an issue. */
const WORD_JOINER = '\u2060';

/** Prose on one line. @param length most characters of it */
export function prose(text: string, length: number): string {
  return atStart(escaped(oneLine(text, length)));
}

/** Prose with code between backticks, as explanations have it: "read in `sensor_read`". */
export function proseWithCode(text: string, length: number): string {
  const parts = oneLine(text, length).split('`');
  return atStart(parts.map((part, index) => (index % 2 === 1 ? code(part, length) : escaped(part))).join(''));
}

function escaped(text: string): string {
  return text
    .replace(/[\\`*[\]<>&|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&')
    .replaceAll('@', `${WORD_JOINER}@`)
    .replace(/[@#]|www(?=\.)|\/(?=\/)|(?<=mailto|xmpp)(?=:)/gi, `$&${WORD_JOINER}`);
}

/** What begins a list, or underlines a heading, does so only at the start of a line. */
function atStart(markdown: string): string {
  return markdown
    .trimStart()
    .replace(/^[-+=]/, '\\$&')
    .replace(/^(\d+)([.)])/, '$1\\$2');
}

/** A code span on one line. Empty for an empty text, which no code span can hold. */
export function code(text: string, length: number): string {
  const content = oneLine(text, length);
  if (content.trim() === '') return '';
  const fence = '`'.repeat(longestRun(content) + 1);
  const space = /^[` ]|[` ]$/.test(content) ? ' ' : '';
  return `${fence}${space}${content}${space}${fence}`;
}

/** A block of code. The lines that do not fit into `bytes` are left out, and their number is told. */
export function codeBlock(language: string, lines: readonly string[], bytes: number): string {
  const all = lines.flatMap((each) => each.split('\n'));
  const kept: string[] = [];
  let used = 0;
  for (const line of all) {
    const shown = cut(visible(line.slice(0, MAX_LINE + 1)), MAX_LINE);
    used += Buffer.byteLength(shown) + 1;
    if (used > bytes) break;
    kept.push(shown);
  }
  if (kept.length < all.length) kept.push(`… ${all.length - kept.length} more`);
  const fence = '`'.repeat(Math.max(3, longestRun(kept.join('\n')) + 1));
  return [`${fence}${language}`, ...kept, fence].join('\n');
}

/** Longer lines of code are cut: names of C++ templates have no end. */
const MAX_LINE = 500;

function oneLine(text: string, length: number): string {
  // Names of a device have no end: what is not shown is not searched either.
  const beginning = text
    .slice(0, 4 * length)
    .replace(/\s+/g, ' ')
    .trim();
  return cut(visible(beginning), length);
}

function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const digits = character.charCodeAt(0).toString(16);
    return digits.length > 2 ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`;
  });
}

/** Never between the two halves of a character. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
