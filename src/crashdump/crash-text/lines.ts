import { keyOf, type LineShape, lineReader, shapeOf } from '../core/transport/line-shape.js';

/** A line of a text about a crash. */
export interface Line {
  /** As the device printed it: without what a terminal, a logger or a mail program put in front. */
  text: string;
  /** The text without the prefix of the device's own log, "E (123) task_wdt: ", and without blanks around. */
  body: string;
  /** Who logged it: "task_wdt"; null for what was printed without the log. */
  tag: string | null;
}

/** The lines of a text that are not blank. A lone CR ends a line too: monitors and editors see it so. */
export function linesOf(text: string): Line[] {
  const rests = text
    .split(/[\r\n\v\f\u0085\u2028\u2029]+/)
    .map(withoutKnownPrefixes)
    .filter((rest) => rest !== '');
  const prefixes = repeatedPrefixes(rests);
  return rests.map((rest) => toLine(withoutPrefix(rest, prefixes)));
}

/** What terminals, loggers, mail and Markdown put in front of a line. */
const KNOWN_PREFIXES: readonly RegExp[] = [
  / +/y,
  // What a reset did to the line.
  /\ufffd+/y,
  /`{1,3}/y,
  />+ ?/y,
  // 2025-01-17 19:18:55, 2026-11-29T08:34:29.123456+00:00, with "->" or the like behind.
  /\[?\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T _,]{1,2}\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?Z| ?[+-]\d\d:?\d\d| UTC)?\]? {0,4}(?:-->|->|=>|[>:|,-])? ?/y,
  // 12:34:56.789 >, 22:37:02.529 ->, [08:34:29], [00:00:01.234,000]
  /\[?\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9}){0,2}(?: [AP]M)?\]? {0,4}(?:-->|->|=>|[>:|,-])? ?/y,
  // Nov 29 08:34:29 raspi picocom[900]:
  /[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,6})? [\w.-]{1,64} [\w.@/-]{1,64}(?:\[\d{1,7}\])?: ?/y,
  // esp-log-1  |
  /[\w.-]{1,64} {1,16}\| /y,
  /\[ {0,8}\d{1,10}\.\d{1,9}\] ?/y,
  /[-*•] /y,
];
/** A quote in a quote of a log with times and names. */
const MOST_PREFIXES = 8;

function withoutKnownPrefixes(line: string): string {
  let at = 0;
  for (let round = 0; round < MOST_PREFIXES; round++) {
    const end = endOfPrefix(line, at, KNOWN_PREFIXES);
    if (end === at) break;
    at = end;
  }
  return line.slice(at).replace(TRAILING, '');
}

const TRAILING = /[ `\ufffd]{1,64}$/;

function endOfPrefix(line: string, at: number, prefixes: readonly RegExp[]): number {
  for (const prefix of prefixes) {
    prefix.lastIndex = at;
    if (prefix.test(line)) return prefix.lastIndex;
  }
  return at;
}

/** Beginnings of lines that devices print at a crash, so that what stands before them is somebody else's. */
const BEGINNING = new RegExp(
  [
    /Guru Meditation Error|Core {1,4}\d register dump:|Backtrace:|Stack memory:|ELF file SHA256:/,
    /abort\(\) was called at PC|assert failed: |\*\*\*ERROR\*\*\* A stack|Brownout detector was/,
    /\*\*\* CRASH DETECTED|(?<!=)={1,64} PANIC =|!! A panic occured|Exception (?:occured )?'|\*\* FATAL EXCEPTION|up_dump_register:|mcause: \d/,
    /rst:0x[0-9a-f]{1,2} \(|ESP-ROM:|\b(?:PC|A2|A6|A10|A14|EXCVADDR) {1,7}: 0x/,
    /\b(?:MEPC|TP|S0\/FP|S4|S8|T3|MSTATUS) {1,7}: 0x/,
    /(?<!\S)[EWIDV] \(\d{1,10}\) [\w.-]{1,48}: |\[[EWIDCV]\]\[[\w.]{1,48}:\d{1,5}\]/,
  ]
    .map(({ source }) => source)
    .join('|'),
);
/** Registers, entries or memory, into which a line of the log has come: no logger puts that in front. */
const OF_A_CRASH = /0x[0-9a-fA-F]{8}/;
const LONGEST_PREFIX = 128;
const MOST_SHAPES = 64;
const MOST_UNKNOWN_PREFIXES = 4;
/** A logger puts its prefix in front of every line; a sentence that quotes one has other lines around it. */
const MIN_LINES = 3;

type RestOf = (line: string) => { rest: string } | null;

/** Prefixes of nobody known that stand before a beginning and before other lines. */
function repeatedPrefixes(lines: readonly string[]): RestOf[] {
  const counts = new Map<string, { shape: LineShape; count: number; first: number }>();
  for (const [index, line] of lines.entries()) {
    const at = line.search(BEGINNING);
    if (at <= 0 || at > LONGEST_PREFIX || endOfPrefix(line, 0, LOG_PREFIXES) >= at) continue;
    if (OF_A_CRASH.test(line.slice(0, at))) continue;
    const shape = shapeOf(line.slice(0, at), '');
    if (shape === null || counts.size >= MOST_SHAPES) continue;
    const entry = counts.get(keyOf(shape)) ?? { shape, count: 0, first: index };
    entry.count += 1;
    counts.set(keyOf(shape), entry);
  }
  return [...counts.values()]
    .sort((one, other) => other.count - one.count)
    .slice(0, MOST_UNKNOWN_PREFIXES)
    .map(({ shape, first }) => ({ restOf: lineReader(shape, /./), first }))
    .filter(({ restOf, first }) => {
      const near = lines.slice(Math.max(0, first - NEAR), first + NEAR);
      return near.filter((line) => restOf(`${line} `) !== null).length >= MIN_LINES;
    })
    .map(({ restOf }) => restOf);
}

const NEAR = 64;

function withoutPrefix(line: string, prefixes: readonly RestOf[]): string {
  for (const restOf of prefixes) {
    // A blank line has lost the end of its prefix.
    const rest = (restOf(line) ?? restOf(`${line} `))?.rest;
    if (rest !== undefined) return rest.replace(/"$/, '');
  }
  return line;
}

/** Prefixes of the logs of ESP-IDF, ESPHome, Arduino and Zephyr, the tag in a group. */
const LOG_PREFIXES: readonly RegExp[] = [
  /[EWIDV] \([^()]{1,30}\) ([^:]{1,48}): ?/y,
  /\[[A-Z]{1,2}\]\[([^\]:]{1,64})(?::\d{1,6})?\](?:\[[^\]]{1,40}\])?: ?/y,
  /\[ {0,8}\d{1,10}\]\[[A-Z]\]\[([^\]:]{1,80})(?::\d{1,6})?\] [^:]{1,80}: ?/y,
  /(?:\[\d{1,3}:\d\d:\d\d\.\d{3},\d{3}\] )?<(?:err|wrn|inf|dbg)> ([\w.-]{1,48}): ?/y,
  /[EWID]: /y,
];

/** A device that sends its log to another one. */
const MOST_LOGS = 3;

function toLine(text: string): Line {
  let at = 0;
  let tag: string | null = null;
  for (let round = 0; round < MOST_LOGS; round++) {
    const found = logPrefixAt(text, at);
    if (found === null) break;
    at = found.end;
    tag = found.tag;
  }
  return { text, body: text.slice(at).trim(), tag };
}

function logPrefixAt(text: string, at: number): { end: number; tag: string } | null {
  for (const prefix of LOG_PREFIXES) {
    prefix.lastIndex = at;
    const found = prefix.exec(text);
    if (found) return { end: prefix.lastIndex, tag: found[1] ?? '' };
  }
  return null;
}
