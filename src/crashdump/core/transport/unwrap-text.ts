import { UnreadableDump } from '../../errors.js';
import type { ReportWarning } from '../../warning.js';
import { startsLikeDump } from '../dump-header.js';
import type { Gaps } from '../gaps.js';
import { identifyText, nameText } from '../identify-text.js';
import { type Assembled, assemble } from './assemble.js';
import { readBase64Lines } from './base64-lines.js';
import { readHexLines } from './hex-lines.js';
import type { DecodedLines } from './pieces.js';
import { asText } from './plain-text.js';
import { type Section, sectionsOf } from './sections.js';

export interface Unwrapped {
  bytes: Uint8Array;
  gaps: Gaps;
  /** "base64 lines of a console log", "a hex dump" */
  transport: string;
  warnings: ReportWarning[];
}

interface Candidate extends Assembled {
  lines: DecodedLines;
  section: Section;
}

/**
 * Takes a dump out of the text that it travelled in: a console log, hexadecimal digits, mail, JSON, with the lines of
 * others around it. Null when `upload` is not text.
 * @throws UnreadableDump when it is text without a dump
 */
export function unwrapText(upload: Uint8Array): Unwrapped | null {
  const text = asText(upload);
  if (text === null) return null;
  const { sections, markers } = sectionsOf(text);
  const chosen = choose(sections);
  if (chosen === null) throw new UnreadableDump(identifyText(text, markers > 0));
  const { bytes, gaps, lines, section, isWhole } = chosen;
  if (!isWhole && markers === 0 && !startsLikeDump(bytes)) {
    const named = isByChance(chosen, text) ? identifyText(text, false) : nameText(text);
    if (named !== null) throw new UnreadableDump(named);
  }
  const hasMarkers = section.startLine !== null;
  const warnings: ReportWarning[] = [];
  if (markers > 1) warnings.push(severalDumps(sections, markers, isWhole));
  if (hasMarkers && !section.hasEnd && !isWhole)
    warnings.push({ code: 'DUMP_CUT', message: 'The text has no CORE DUMP END line: it may be cut.' });
  if (lines.leftOut > 0 && !isWhole)
    warnings.push({
      code: 'TEXT_WITH_DUMP',
      message: `${lines.leftOut} lines of the text were taken for no part of the dump and left out.`,
    });
  if (lines.hasHalfByte)
    warnings.push({
      code: 'DUMP_CUT',
      message: 'The hexadecimal text has an odd number of digits; the last was left out.',
    });
  return { bytes, gaps, transport: `${lines.encoding}${hasMarkers ? ' of a console log' : ''}`, warnings };
}

/** A name or a path of a log, which has letters of base64 alone: "ESP-ROM:esp32s3-20210327". */
function isByChance({ known }: Candidate, text: string): boolean {
  return known < LONGEST_NAME && known * MIN_SHARE < text.length;
}

const LONGEST_NAME = 256;
const MIN_SHARE = 4;

/** The last whole dump; without one, the one of which most is here. */
function choose(sections: readonly Section[]): Candidate | null {
  let best: Candidate | null = null;
  for (const section of sections.toReversed()) {
    const candidate = decode(section);
    if (candidate?.isWhole) return candidate;
    if (candidate !== null && (best === null || candidate.known > best.known)) best = candidate;
  }
  return best;
}

function decode(section: Section): Candidate | null {
  const lines = readHexLines(section);
  const hex = lines === null ? null : toCandidate(lines, section);
  if (hex?.isWhole) return hex;
  const base64 = readBase64Lines(section);
  const other = base64 === null ? null : toCandidate(base64, section);
  if (other === null || hex === null || other.isWhole) return other ?? hex;
  // Lines of zeros are the same letter in base64, and look like hexadecimal digits.
  const [isHexDump, isBase64Dump] = [startsLikeDump(hex.bytes), startsLikeDump(other.bytes)];
  if (isHexDump !== isBase64Dump) return isHexDump ? hex : other;
  return other.known > hex.known ? other : hex;
}

function toCandidate(lines: DecodedLines, section: Section): Candidate {
  return {
    ...assemble(lines, section.hasEnd),
    lines,
    section,
  };
}

function severalDumps(sections: readonly Section[], count: number, isWhole: boolean): ReportWarning {
  const cut = sections.filter(({ hasEnd }) => !hasEnd).length;
  const what = `The text holds ${count} dumps${cut === 0 ? '' : `, ${cut} of them cut`}`;
  return {
    code: 'SEVERAL_DUMPS',
    message: isWhole
      ? `${what}; the last whole one was read.`
      : `${what}, none of them whole; the one of which most is here was read.`,
  };
}
