import { logLine } from './printers.js';

/** In what texts arrive. */
export interface Transport {
  name: string;
  wrap(text: string): Uint8Array;
  /** Every line gets something in front of it. */
  isOfLines?: boolean;
}

function linesOf(text: string): string[] {
  return text.replace(/(?:\r?\n)+$/, '').split(/\r?\n/);
}

function each(map: (line: string, index: number) => string, end = '\r\n'): (text: string) => Uint8Array {
  return (text) => Buffer.from(linesOf(text).map(map).join(end));
}

function two(number: number): string {
  return String(number % 60).padStart(2, '0');
}

function utf16(text: string, order: 'le' | 'be', mark: string): Uint8Array {
  const bytes = Buffer.from(mark + text, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
}

/** A long session in another language, with bytes that are no text. */
export function session(size: number): Buffer {
  const line = Buffer.concat([
    Buffer.from(logLine('I', 1234, 'wifi', 'réseau café, 电压')),
    Buffer.from([0xff, 0xe9, 0x01, 0x0a]),
  ]);
  return Buffer.concat(Array.from({ length: size / line.length }, () => line));
}

/** A mail program that breaks lines at blanks. */
function folded(text: string, width: number): string {
  return linesOf(text)
    .flatMap((line) => {
      const rows: string[] = [];
      let row = line;
      while (row.length > width) {
        const at = row.lastIndexOf(' ', width);
        if (at <= 0 || !/[0-9a-f]{8} *$/.test(row.slice(0, at))) break;
        rows.push(row.slice(0, at));
        row = row.slice(at + 1);
      }
      return [...rows, row];
    })
    .join('\n');
}

export const TRANSPORTS: readonly Transport[] = [
  { name: 'as it is', wrap: (text) => Buffer.from(text) },
  { name: 'LF', wrap: each((line) => line, '\n') },
  { name: 'CR alone', wrap: each((line) => line, '\r') },
  { name: 'CR CR LF', wrap: each((line) => line, '\r\r\n') },
  {
    name: 'PlatformIO times',
    wrap: each((line, index) => `12:34:${two(index)}.789 > ${line}`),
    isOfLines: true,
  },
  {
    name: 'Arduino times',
    wrap: each((line, index) => `22:37:${two(index)}.529 -> ${line}`),
    isOfLines: true,
  },
  { name: 'ESPHome times', wrap: each((line, index) => `[08:34:${two(index)}]${line}`), isOfLines: true },
  {
    name: 'ESPHome times with milliseconds',
    wrap: each((line, index) => `[08:34:${two(index)}.123]${line}`),
    isOfLines: true,
  },
  {
    name: 'idf_monitor times',
    wrap: each((line, index) => `2025-01-17 19:18:${two(index)} ${line}`),
    isOfLines: true,
  },
  {
    name: 'ISO times',
    wrap: each((line, index) => `2026-11-29T08:34:${two(index)}.123456+00:00 ${line}`),
    isOfLines: true,
  },
  {
    name: 'syslog',
    wrap: each((line, index) => `Nov 29 08:34:${two(index)} raspi picocom[${900 + index}]: ${line}`),
    isOfLines: true,
  },
  { name: 'docker compose', wrap: each((line) => `esp-log-1  | ${line}`), isOfLines: true },
  {
    name: 'a logger of nobody known',
    wrap: each((line, index) => `<14> sensor ${index}/7 => ${line}`),
    isOfLines: true,
  },
  {
    name: 'a log line of IDF',
    wrap: each((line, index) => `I (${12 * index}) remote: ${line}`),
    isOfLines: true,
  },
  { name: 'colours', wrap: each((line) => `\u001b[0;31m${line}\u001b[0m`) },
  { name: 'colours without their escape', wrap: each((line) => `[0;31m${line}[0m`) },
  {
    name: 'colours and times',
    wrap: each((line, index) => `\u001b[0;32m[08:34:${two(index)}]\u001b[0m \u001b[1m${line}\u001b[m`),
    isOfLines: true,
  },
  { name: 'a quote', wrap: each((line) => `> ${line}`), isOfLines: true },
  { name: 'a quote in a quote', wrap: each((line) => `> > ${line}`), isOfLines: true },
  { name: 'indented', wrap: each((line) => `    ${line}`), isOfLines: true },
  { name: 'backticks', wrap: each((line) => `\`${line}\``), isOfLines: true },
  { name: 'blanks that do not break', wrap: (text) => Buffer.from(text.replaceAll('  ', '\u00a0 ')) },
  { name: 'a code block', wrap: (text) => Buffer.from(`\`\`\`\n${text}\n\`\`\`\n`) },
  { name: 'UTF-8 BOM', wrap: (text) => Buffer.from(`\ufeff${text}`) },
  { name: 'UTF-16 LE', wrap: (text) => utf16(text, 'le', '\ufeff') },
  { name: 'UTF-16 BE', wrap: (text) => utf16(text, 'be', '\ufeff') },
  { name: 'UTF-16 LE without BOM', wrap: (text) => utf16(text, 'le', '') },
  { name: 'UTF-16 BE without BOM', wrap: (text) => utf16(text, 'be', '') },
  {
    name: 'UTF-16 of which the first byte is missing',
    wrap: (text) => utf16(`x\n${text}`, 'le', '').subarray(1),
  },
  {
    name: 'a long session before it',
    wrap: (text) => Buffer.concat([session(32 * 1024), Buffer.from(`\n${text}`)]),
  },
  { name: 'a mail program that folds lines', wrap: (text) => Buffer.from(folded(text, 76)) },
  { name: 'NULs of the line', wrap: (text) => Buffer.concat([Buffer.alloc(3), Buffer.from(text)]) },
];

/** JSON has the text as a string; a record that is JSON already has other quotes in it then. */
export const JSON_TRANSPORTS: readonly Transport[] = [
  { name: 'a JSON string', wrap: (text) => Buffer.from(JSON.stringify(text)) },
  { name: 'a JSON object', wrap: (text) => Buffer.from(JSON.stringify({ device: 'a1', log: text, n: 3 })) },
  {
    name: 'JSON in JSON',
    wrap: (text) => Buffer.from(JSON.stringify({ id: 7, message: JSON.stringify({ text }) }).slice(0, -1)),
  },
  {
    name: 'a JSON string whose ends are cut off',
    wrap: (text) => Buffer.from(JSON.stringify({ log: `\r\n${text}\r\n` }).slice(9, -2)),
  },
  {
    name: 'JSON log lines of Docker',
    wrap: each(
      (line, index) =>
        JSON.stringify({ log: `${line}\r\n`, stream: 'stdout', time: `2026-11-29T08:34:29.${index}Z` }),
      '\n',
    ),
  },
];
