import type { PrintedCore } from './crash-text.js';
import { MOST_CALLS } from './found-crash.js';
import type { Line } from './lines.js';

/** A printed backtrace, whose entries may go over several lines. */
export interface BacktraceLines {
  entries: { pc: number; sp: number }[];
  end: PrintedCore['callsEnd'];
  /** Entries were damaged and left out. */
  isDamaged: boolean;
  /** How many lines behind the first belong to it. */
  lines: number;
  /** The first two entries stand without a blank between them, as ESP-IDF 4.4 prints on Xtensa chips. */
  isGlued: boolean;
  hasMark: boolean;
}

const TITLE = /Backtrace:/;
/** By width, not by blanks: ESP-IDF 4.4 to 4.4.2 print none between the first two. */
const ENTRY = /0x([0-9a-fA-F]{8}):0x([0-9a-fA-F]{8})/g;
const GLUED = /0x[0-9a-fA-F]{8}:0x[0-9a-fA-F]{8}0x/;
/** What mail programs and terminals move to the next line. */
const CONTINUATION = /^[0-9a-fA-Fx: ]{2,}(?:\|<-(?:CORRUPTED|CONTINUES))?$/;
const MARK_ALONE = /^\|<-(?:CORRUPTED|CONTINUES)$/;
const ENTRY_AT_END = /0x[0-9a-fA-F]{8}:0x[0-9a-fA-F]{8} *$/;
/** Lines of a log on another core, which come in between. */
const MOST_LOG_LINES = 3;
/** Of the stack's memory. */
const MEMORY = /^[0-9a-fA-F]{8}: /;
const MOST_LINES = 128;

/** Null where the line is no backtrace. The entries may be none: Rust lists addresses below. */
export function backtraceAt(lines: readonly Line[], index: number): BacktraceLines | null {
  const body = lines[index]?.body ?? '';
  const title = TITLE.exec(body);
  if (title === null) return null;
  const parts = [body.slice(title.index + title[0].length)];
  // The last lines decide whether an entry was divided, so only they are looked at.
  let last = parts[0] ?? '';
  let count = 0;
  while (count < MOST_LINES) {
    const skipped = logLinesAt(lines, index + count + 1);
    const next = lines[index + count + 1 + skipped]?.body ?? '';
    const isMore = CONTINUATION.test(next) ? next.includes(':') || last.trim() !== '' : MARK_ALONE.test(next);
    if (!isMore || last.includes('|<-') || (skipped > 0 && !isEntries(next))) break;
    if (last.trim() === '' || ENTRY_AT_END.test(last)) parts.push(' ');
    parts.push(next);
    last = next;
    count += 1 + skipped;
  }
  return { ...entriesOf(parts.join('')), lines: count };
}

function logLinesAt(lines: readonly Line[], from: number): number {
  let count = 0;
  while (count <= MOST_LOG_LINES && (lines[from + count]?.tag ?? null) !== null) count += 1;
  return count > MOST_LOG_LINES ? 0 : count;
}

function isEntries(line: string): boolean {
  return line.includes(':0x') && !MEMORY.test(line);
}

function entriesOf(text: string): Omit<BacktraceLines, 'lines'> {
  const entries = [...text.matchAll(ENTRY)]
    .slice(0, MOST_CALLS)
    .map(([, pc = '', sp = '']) => ({ pc: Number.parseInt(pc, 16), sp: Number.parseInt(sp, 16) }));
  const rest = text.replaceAll(ENTRY, '').trim();
  const hasMark = rest.includes('|<-');
  const isCorrupted = rest.includes('|<-CORRUPTED');
  const other = rest.replace(/\|<-(?:CORRUPTED|CONTINUES)/, '').trim();
  // A hexadecimal piece is of an entry; words are somebody else's.
  const isDamaged = /(?:^|\s)0x?[0-9a-fA-F]*|:0x|[0-9a-fA-F]{6}/.test(other);
  const isCut = isDamaged && !hasMark && !ENTRY_AT_END.test(text);
  const end = isCorrupted ? 'corrupted' : hasMark ? 'continues' : isCut ? 'cut' : null;
  return { entries, end, isDamaged, isGlued: GLUED.test(text), hasMark };
}
