import { createHash } from 'node:crypto';
import {
  ascii,
  cArray,
  groups,
  halves,
  hex,
  rows,
  spaced,
  squeezed,
  words,
  xxd,
  xxdWords,
} from './hex-texts.js';

/** The texts in which people hand in dumps, made from a raw one. */
export interface Wrapping {
  name: string;
  wrap(dump: Uint8Array): Uint8Array;
}

const START = '================= CORE DUMP START =================';
const END = '================= CORE DUMP END =================';

/** As the device prints it: the header is a write of its own, then 48 bytes a line. */
export function uartLines(dump: Uint8Array): string[] {
  const lines: string[] = [];
  const first = dump.length % 48 === 24 ? 24 : Math.min(24, dump.length);
  lines.push(base64(dump.subarray(0, first)));
  for (let at = first; at < dump.length; at += 48) lines.push(base64(dump.subarray(at, at + 48)));
  return lines;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

export function uartLog(dump: Uint8Array, newline = '\r\n'): string {
  return [START, ...uartLines(dump), END, ''].join(newline);
}

function prefixed(prefix: (line: number) => string, suffix = ''): (dump: Uint8Array) => Uint8Array {
  return (dump) =>
    Buffer.from(
      uartLog(dump, '\n')
        .trimEnd()
        .split('\n')
        .map((line, index) => prefix(index) + line + suffix)
        .join('\r\n'),
    );
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

function utf16(text: string, order: 'le' | 'be', bom: boolean): Uint8Array {
  const bytes = Buffer.from(`${bom ? '\ufeff' : ''}${text}`, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
}

/** A session before the crash, with bytes that are no text. */
function session(length: number): Buffer {
  const line = Buffer.from('I (1234) wifi: beacon timeout, r\xe9seau caf\xe9 \xff\xfe\x01\n', 'latin1');
  return Buffer.concat(Array.from({ length: Math.ceil(length / line.length) }, () => line));
}

export const WRAPPINGS: readonly Wrapping[] = [
  { name: 'a console log', wrap: (dump) => Buffer.from(uartLog(dump)) },
  { name: 'a console log with LF', wrap: (dump) => Buffer.from(uartLog(dump, '\n')) },
  { name: 'a console log with CR CR LF', wrap: (dump) => Buffer.from(uartLog(dump, '\r\r\n')) },
  { name: 'PlatformIO times', wrap: prefixed((line) => `12:34:${two(line % 60)}.789 > `) },
  { name: 'Arduino times', wrap: prefixed((line) => `22:37:${two(line % 60)}.529 -> `) },
  { name: 'ESPHome times', wrap: prefixed((line) => `[08:34:${two(line % 60)}]`) },
  { name: 'ESPHome levels', wrap: prefixed((line) => `[08:34:${two(line % 60)}][E][uart:${line}]: `) },
  { name: 'idf_monitor times', wrap: prefixed((line) => `2025-01-17 19:18:${two(line % 60)} `) },
  { name: 'ISO times', wrap: prefixed((line) => `2026-11-29T08:34:${two(line % 60)}.123456+00:00 `) },
  {
    name: 'syslog',
    wrap: prefixed((line) => `Nov 29 08:34:${two(line % 60)} raspi picocom[${900 + line}]: `),
  },
  { name: 'docker compose', wrap: prefixed(() => 'esp-log-1  | ') },
  { name: 'tabs', wrap: prefixed((line) => `${line}\t`) },
  { name: 'a log line of IDF', wrap: prefixed((line) => `I (${12 * line}) dump: `) },
  { name: 'colours', wrap: prefixed(() => '\u001b[0;31m', '\u001b[0m') },
  {
    name: 'colours and times',
    wrap: prefixed((line) => `\u001b[0;32m[${line}]\u001b[0m \u001b[1m`, '\u001b[m'),
  },
  { name: 'a quote', wrap: prefixed(() => '> ') },
  { name: 'a quote in a quote', wrap: prefixed(() => '> > ') },
  { name: 'indented', wrap: prefixed(() => '    ') },
  { name: 'a list', wrap: prefixed(() => '- ') },
  { name: 'backticks', wrap: prefixed(() => '`', '`') },
  { name: 'blanks at the end', wrap: prefixed(() => '', '  ') },
  {
    name: 'a code block',
    wrap: (dump) => Buffer.from(`Hello,\n\n\`\`\`\n${uartLog(dump)}\`\`\`\nThanks!\n`),
  },
  { name: 'UTF-8 BOM', wrap: (dump) => Buffer.from(`\ufeff${uartLog(dump)}`) },
  { name: 'UTF-16 LE', wrap: (dump) => utf16(uartLog(dump), 'le', true) },
  { name: 'UTF-16 BE', wrap: (dump) => utf16(uartLog(dump), 'be', true) },
  { name: 'UTF-16 LE without BOM', wrap: (dump) => utf16(uartLog(dump), 'le', false) },
  { name: 'UTF-16 BE without BOM', wrap: (dump) => utf16(uartLog(dump), 'be', false) },
  { name: 'UTF-16 base64', wrap: (dump) => utf16(base64(dump), 'le', true) },
  { name: 'a long session', wrap: (dump) => Buffer.concat([session(1 << 20), Buffer.from(uartLog(dump))]) },
  {
    name: 'log lines in between',
    wrap: (dump) =>
      Buffer.from(
        uartLog(dump).replaceAll(
          /\r\n(?=[^\r]{64}\r\n[^\r]{64}\r\n)/g,
          '\r\nI (523) wifi: beacon\r\nW (9) a=b\r\nHELP\r\n',
        ),
      ),
  },
  {
    name: 'the next boot behind',
    wrap: (dump) => Buffer.from(`${uartLog(dump)}Rebooting...\r\nets Jul 29 2019\r\n`),
  },
  { name: 'no END', wrap: (dump) => Buffer.from(uartLog(dump).split(END)[0] ?? '') },
  {
    name: 'no END and a word',
    wrap: (dump) => Buffer.from(`${uartLog(dump).split(END)[0]}HELP\r\nRebooting\r\n`),
  },
  { name: 'no START', wrap: (dump) => Buffer.from(uartLog(dump).split(`${START}\r\n`)[1] ?? '') },
  { name: 'one line', wrap: (dump) => Buffer.from(base64(dump)) },
  { name: 'one line without padding', wrap: (dump) => Buffer.from(base64(dump).replaceAll('=', '')) },
  { name: '76 columns', wrap: (dump) => Buffer.from(groups(base64(dump), 76).join('\r\n')) },
  { name: '77 columns', wrap: (dump) => Buffer.from(groups(base64(dump), 77).join('\n')) },
  { name: '1000 columns', wrap: (dump) => Buffer.from(groups(base64(dump), 998).join('\n')) },
  { name: 'base64url', wrap: (dump) => Buffer.from(Buffer.from(dump).toString('base64url')) },
  { name: 'writes in one line', wrap: (dump) => Buffer.from(writes(dump).join('')) },
  { name: 'writes, one a line', wrap: (dump) => Buffer.from(writes(dump).join('\n')) },
  {
    name: 'a data: URL',
    wrap: (dump) => Buffer.from(`data:application/octet-stream;base64,${base64(dump)}`),
  },
  {
    name: 'an escaped data: URL',
    wrap: (dump) => Buffer.from(`data:;base64,${encodeURIComponent(base64(dump))}`),
  },
  { name: 'a JSON string', wrap: (dump) => Buffer.from(JSON.stringify(base64(dump))) },
  { name: 'a JSON string of lines', wrap: (dump) => Buffer.from(JSON.stringify(uartLog(dump))) },
  {
    name: 'a JSON object',
    wrap: (dump) => Buffer.from(JSON.stringify({ device: 'a1', coredump: base64(dump), n: 3 })),
  },
  {
    name: 'a JSON object in lines',
    wrap: (dump) => Buffer.from(JSON.stringify({ device: 'a1', dump: { data: base64(dump) } }, null, 2)),
  },
  {
    name: 'a JSON object with escapes',
    wrap: (dump) =>
      Buffer.from(
        JSON.stringify({ d: base64(dump) })
          .replaceAll('/', '\\/')
          .replaceAll('+', '\\u002b')
          .replaceAll('=', '\\u003d'),
      ),
  },
  {
    name: 'JSON log lines of Docker',
    wrap: (dump) =>
      Buffer.from(
        uartLog(dump)
          .split('\r\n')
          .map((line, index) =>
            JSON.stringify({ log: `${line}\r\n`, stream: 'stdout', time: `2026-11-29T08:34:29.${index}Z` }),
          )
          .join('\n'),
      ),
  },
  {
    name: 'JSON log lines',
    wrap: (dump) =>
      Buffer.from(
        uartLog(dump)
          .trimEnd()
          .split('\r\n')
          .map((message, index) => JSON.stringify({ level: 'info', ts: index, message, host: 'gateway' }))
          .join('\n'),
      ),
  },
  { name: 'hexadecimal', wrap: (dump) => Buffer.from(hex(dump)) },
  { name: 'hexadecimal, upper case', wrap: (dump) => Buffer.from(hex(dump).toUpperCase()) },
  { name: 'hexadecimal with 0x', wrap: (dump) => Buffer.from(`0x${hex(dump)}`) },
  { name: 'hexadecimal lines', wrap: (dump) => Buffer.from(`${groups(hex(dump), 128).join('\r\n')}\r\n`) },
  { name: 'hexadecimal lines of a word', wrap: (dump) => Buffer.from(groups(hex(dump), 8).join('\n')) },
  { name: 'hexadecimal lines of half bytes', wrap: (dump) => Buffer.from(groups(hex(dump), 77).join('\n')) },
  {
    name: 'hexadecimal lines in a log',
    wrap: (dump) =>
      Buffer.from(
        `I (1200) main: BEGIN COREDUMP\r\n${groups(hex(dump), 128).join('\r\n')}\r\nI (1300) main: END COREDUMP\r\n`,
      ),
  },
  {
    name: 'hexadecimal lines behind times',
    wrap: (dump) =>
      Buffer.from(
        groups(hex(dump), 64)
          .map((line, index) => `[00:00:${two(index % 60)}] ${line}`)
          .join('\n'),
      ),
  },
  { name: 'bytes with blanks', wrap: (dump) => Buffer.from(spaced(dump)) },
  { name: 'bytes with colons', wrap: (dump) => Buffer.from(groups(hex(dump), 2).join(':')) },
  { name: 'xxd', wrap: (dump) => Buffer.from(xxd(dump, 4)) },
  { name: 'xxd -g1', wrap: (dump) => Buffer.from(xxd(dump, 2)) },
  { name: 'xxd -e', wrap: (dump) => Buffer.from(xxdWords(dump)) },
  { name: 'xxd -p', wrap: (dump) => Buffer.from(`${groups(hex(dump), 60).join('\n')}\n`) },
  { name: 'xxd -i', wrap: (dump) => Buffer.from(cArray(dump, 12)) },
  { name: 'a C array in one line', wrap: (dump) => Buffer.from(cArray(dump, dump.length)) },
  {
    name: 'hexdump -C',
    wrap: (dump) =>
      Buffer.from(
        squeezed(
          dump,
          (at, bytes) =>
            `${at.toString(16).padStart(8, '0')}  ${halves(bytes).padEnd(48)}  |${ascii(bytes)}|`,
          (at) => at.toString(16).padStart(8, '0'),
        ),
      ),
  },
  {
    name: 'hexdump',
    wrap: (dump) =>
      Buffer.from(
        squeezed(
          dump,
          (at, bytes) => `${at.toString(16).padStart(7, '0')} ${words(bytes)}`,
          (at) => at.toString(16).padStart(7, '0'),
        ),
      ),
  },
  {
    name: 'od -t x1',
    wrap: (dump) =>
      Buffer.from(
        squeezed(
          dump,
          (at, bytes) => `${at.toString(8).padStart(7, '0')} ${spaced(bytes)}`,
          (at) => at.toString(8).padStart(7, '0'),
        ),
      ),
  },
  {
    name: 'od -A x -t x1z',
    wrap: (dump) =>
      Buffer.from(
        squeezed(
          dump,
          (at, bytes) => `${at.toString(16).padStart(6, '0')} ${spaced(bytes).padEnd(47)}  >${ascii(bytes)}<`,
          (at) => at.toString(16).padStart(6, '0'),
        ),
      ),
  },
  {
    name: 'ESP_LOG_BUFFER_HEX',
    wrap: (dump) =>
      Buffer.from(
        rows(dump)
          .map(({ at, bytes }) => `I (${1000 + at}) core: ${spaced(bytes)}`)
          .join('\r\n'),
      ),
  },
  {
    name: 'ESP_LOG_BUFFER_HEXDUMP',
    wrap: (dump) =>
      Buffer.from(
        rows(dump)
          .map(
            ({ at, bytes }) =>
              `I (${1000 + at}) core: 0x${(0x3ffb4280 + at).toString(16)}   ${halves(bytes).padEnd(48)}  |${ascii(bytes)}|`,
          )
          .join('\r\n'),
      ),
  },
  {
    name: 'ESP_LOG_BUFFER_HEXDUMP of one buffer',
    wrap: (dump) =>
      Buffer.from(
        rows(dump)
          .map(
            ({ at, bytes }) =>
              `I (${1000 + at}) core: 0x${(0x3ffb4280 + (at % 256)).toString(16)}   ${halves(bytes).padEnd(48)}  |${ascii(bytes)}|`,
          )
          .join('\r\n'),
      ),
  },
  { name: 'two dumps, the first cut', wrap: (dump) => Buffer.from(cutLog(dump) + uartLog(dump)) },
  { name: 'two dumps, the second cut', wrap: (dump) => Buffer.from(uartLog(dump) + cutLog(dump)) },
  { name: 'a partition', wrap: (dump) => Buffer.concat([dump, Buffer.alloc(65536 - dump.length, 0xff)]) },
  {
    name: 'a partition in base64',
    wrap: (dump) => Buffer.from(base64(Buffer.concat([dump, Buffer.alloc(4096, 0xff)]))),
  },
];

/** Every write of the device by itself, of sizes that need padding. */
function writes(dump: Uint8Array): string[] {
  const sizes = [20, 52, 32, 340, 97, 64, 1];
  const list: string[] = [];
  for (let at = 0, index = 0; at < dump.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    list.push(base64(dump.subarray(at, at + size)));
    at += size;
  }
  return list;
}

function cutLog(dump: Uint8Array): string {
  const log = uartLog(dump);
  return `${log.slice(0, Math.floor(log.length / 3))}\r\nrst:0xc (SW_CPU_RESET)\r\n`;
}

/** A generator of numbers that are always the same for a seed. */
export function randomly(seed: string): (below: number) => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0) || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
