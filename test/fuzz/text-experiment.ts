import { readCrashText } from '../../src/crashdump/crash-text/read-crash-text.js';
import { UnreadableDump } from '../../src/crashdump/errors.js';
import { openCrash } from '../../src/crashdump/open-crash.js';
import { expectTrue } from '../crashdump/crash-text/checks.js';
import { ADDRESS_LISTS, OTHER_SHAPES } from '../crashdump/crash-text/other-shapes.js';
import { IDF_SHAPES } from '../crashdump/crash-text/shapes.js';
import { JSON_TRANSPORTS, TRANSPORTS } from '../crashdump/crash-text/transports.js';
import { readTexts } from './corpus.js';
import { createRandom, mutate } from './mutate.js';

export type Outcome = 'crash' | 'nothing';

/** Of a hundred runs these break a core dump in a text, in which there is no crash. */
const DUMP_SHARE = 0.1;
const MOST_EDITS = 6;

/**
 * Runs of the fuzzer for texts: each takes a text in a transport, breaks its bytes or moves its lines, and reads it. It
 * fails where the answer has what the text has not, where a core dump is taken for a crash, and where a text is taken for a
 * core dump.
 */
export function createTextExperiment(seed: number) {
  const shapes = [...IDF_SHAPES, ...OTHER_SHAPES, ...ADDRESS_LISTS].map(({ text }) => text);
  const transports = [...TRANSPORTS, ...JSON_TRANSPORTS].filter(
    ({ name }) => name !== 'a long session before it',
  );
  const dumps = readTexts().map(({ core }) => core);

  /** @throws whatever the reader must not throw, and what is not true in its answer */
  return function run(number: number): Outcome {
    const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b));
    const pick = <T>(list: readonly T[]): T => {
      const item = list[Math.floor(random() * list.length)];
      if (item === undefined) throw new Error('the corpus is empty');
      return item;
    };
    if (random() < DUMP_SHARE) {
      const crash = readCrashText(mutate(pick(dumps), pick(dumps), random));
      if (crash !== null)
        throw new Error(`a broken core dump was taken for a crash: ${JSON.stringify(crash)}`);
      return 'nothing';
    }
    const edited = random() < 0.5 ? moveLines(pick(shapes), pick(shapes), random) : pick(shapes);
    const wrapped = pick(transports).wrap(edited);
    const upload = random() < 0.8 ? mutate(wrapped, Buffer.from(pick(shapes)), random) : wrapped;
    const crash = readCrashText(upload);
    if (crash !== null) expectTrue(crash, upload);
    if (isDump(upload)) throw new Error('a broken text was taken for a core dump');
    return crash === null ? 'nothing' : 'crash';
  };
}

/** As every upload is looked at. */
function isDump(upload: Uint8Array): boolean {
  try {
    return openCrash(upload, null).kind === 'dump';
  } catch (error) {
    if (error instanceof UnreadableDump) return false;
    throw error;
  }
}

/** Lines lost, doubled, swapped, joined, cut, from another text, and characters changed within their kind. */
function moveLines(text: string, other: string, random: () => number): string {
  const lines = text.split('\r\n');
  const others = other.split('\r\n');
  const below = (limit: number) => Math.floor(random() * limit);
  for (let edits = 1 + below(MOST_EDITS); edits > 0; edits--) {
    const at = below(lines.length);
    const line = lines[at] ?? '';
    const place = below(line.length + 1);
    switch (below(8)) {
      case 0:
        lines.splice(at, 1);
        break;
      case 1:
        lines.splice(at, 0, line);
        break;
      case 2:
        lines.splice(below(lines.length), 0, ...lines.splice(at, 1));
        break;
      case 3:
        lines.splice(at, 2, line + (lines[at + 1] ?? ''));
        break;
      case 4:
        lines[at] = line.slice(0, place);
        break;
      case 5:
        lines.splice(at, 1, line.slice(0, place), line.slice(place));
        break;
      case 6:
        lines.splice(at, 0, ...others.slice(below(others.length), below(others.length)));
        break;
      default:
        lines[at] = line.slice(0, place) + '0123456789abcdefxX: |-'.charAt(below(22)) + line.slice(place + 1);
    }
  }
  return lines.join('\r\n');
}
