/** What stands before and behind the payload of a line, with numbers as `#`: time stamps differ from line to line. */
export interface LineShape {
  prefix: string;
  suffix: string;
}

/** Longer ones are not of a log. */
const LONGEST_AFFIX = 256;

export function shapeOf(before: string, behind: string): LineShape | null {
  if (before.length > LONGEST_AFFIX || behind.length > LONGEST_AFFIX) return null;
  return { prefix: abstract(before), suffix: abstract(behind.trimEnd()) };
}

/** Equal for lines of the same shape. */
export function keyOf({ prefix, suffix }: LineShape): string {
  return `${prefix}\n${suffix}`;
}

/** What a line of a shape holds behind its prefix: all of it, and the payload if the suffix fits too. */
export interface ShapedLine {
  rest: string;
  payload: string | null;
}

/** Reads lines of one shape. @param characters what a payload consists of */
export function lineReader(
  { prefix, suffix }: LineShape,
  characters: RegExp,
): (line: string) => ShapedLine | null {
  const run = new RegExp(characters.source, 'y');
  return (line) => {
    const start = endOfPrefix(prefix, line);
    if (start === null) return null;
    run.lastIndex = start;
    const payload = run.exec(line)?.[0] ?? '';
    const behind = line.slice(start + payload.length);
    const fits = payload !== '' && behind.length <= LONGEST_AFFIX && abstract(behind.trimEnd()) === suffix;
    return { rest: line.slice(start), payload: fits ? payload : null };
  };
}

const NUMBER = /0x[0-9a-fA-F]+|[0-9]+|#/y;
const BLANKS = /\s+/y;

function abstract(text: string): string {
  return text.replaceAll(/0x[0-9a-fA-F]+|\d+/g, '#').replaceAll(/\s+/g, ' ');
}

/**
 * Where a line goes on behind a prefix; null when it begins otherwise. Each number and blank is taken whole: a regular
 * expression made of a hostile prefix would try all ways to divide a run of digits.
 */
function endOfPrefix(prefix: string, line: string): number | null {
  let at = 0;
  for (const character of prefix) {
    const token = character === '#' ? NUMBER : character === ' ' ? BLANKS : null;
    if (token !== null) {
      token.lastIndex = at;
      if (!token.test(line)) return null;
      at = token.lastIndex;
    } else if (line.startsWith(character, at)) at += character.length;
    else return null;
  }
  return at;
}
