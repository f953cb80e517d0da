/** Fields in which log collectors put the line itself. */
const MESSAGE_FIELDS = [
  'log',
  'message',
  'msg',
  'line',
  'text',
  'data',
  'payload',
  'MESSAGE',
  'content',
  'body',
];

const MOST_VALUES = 100_000;

/**
 * The lines that a text of JSON holds: one document, a document a line, or a piece of one whose ends are cut off. Other
 * text stays as it is.
 */
export function withoutJson(text: string): string {
  const whole = stringsOf(text);
  if (whole !== null) return whole;
  if (!text.includes('{') && !text.includes('\\')) return text;
  return text
    .split(/\r\n|\r|\n/)
    .map(lineOf)
    .join('\n');
}

function lineOf(line: string): string {
  return stringsOf(line) ?? (looksEscaped(line) ? unescaped(line) : line);
}

/** Null for what is no JSON object, list or text. */
function stringsOf(text: string): string | null {
  const head = text.slice(0, 64).trimStart();
  if (!/^(?:[{"]|\[\s*[{["])/.test(head)) return null;
  try {
    return messagesOf(JSON.parse(text)).join('\n');
  } catch {
    return null;
  }
}

/** All texts of a value; of an object with a message only that. A list, not recursion: values may be nested deeply. */
function messagesOf(root: unknown): string[] {
  const messages: string[] = [];
  const waiting: unknown[] = [root];
  for (let count = 0; waiting.length > 0 && count < MOST_VALUES; count++) {
    const value = waiting.pop();
    if (typeof value === 'string') messages.push(value);
    else if (Array.isArray(value)) for (let at = value.length - 1; at >= 0; at--) waiting.push(value[at]);
    else if (value !== null && typeof value === 'object') {
      const fields = value as Record<string, unknown>;
      const message = MESSAGE_FIELDS.find((name) => typeof fields[name] === 'string');
      waiting.push(message === undefined ? Object.values(fields) : fields[message]);
    }
  }
  return messages;
}

const ESCAPED_LINE_END = /\\[rn]/;
const MANY = 3;
const LONG = 120;

/** A text in which line ends are written as escapes. A path of Windows has one by chance. */
function looksEscaped(line: string): boolean {
  if (!ESCAPED_LINE_END.test(line)) return false;
  if (line.includes('\\r\\n') || /^\s{0,16}[{["]/.test(line)) return true;
  return line.length > LONG && line.split(ESCAPED_LINE_END).length > MANY;
}

/** JSON inside of JSON has several backslashes. */
const ESCAPES = /\\+(?:u([0-9a-fA-F]{4})|([rnt"/bf])?)/g;
const MEANINGS: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', b: '\b', f: '' };

function unescaped(line: string): string {
  const text = line.replaceAll(ESCAPES, (_, code: string | undefined, letter: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return letter === undefined ? '\\' : (MEANINGS[letter] ?? letter);
  });
  // What is left of the fields around it.
  const field = text.slice(0, LONGEST_HEAD).lastIndexOf('":"');
  return text.slice(field < 0 ? 0 : field + 3).replace(CLOSING, '');
}

const LONGEST_HEAD = 64;
const CLOSING = /["}\]]{1,8}$/;
