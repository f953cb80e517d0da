import { matchesPattern } from '../pattern.js';
import type { CrashReport, CrashTask, Culprit, PlaceOfCrash, StackFrame } from '../report.js';
import { culpritOfFrames, ownFrames } from './culprit.js';
import { explainReport } from './explain-report.js';
import { placeOf } from './explanation.js';
import { fingerprint } from './fingerprint.js';
import { judgeFrames } from './system-frames.js';
import { plainName } from './system-functions.js';

/** Says of some frames whether they are a team's own code. */
export interface OwnCodeRule {
  /**
   * PATH: a folder or file with its folders, `components/vendor`, wherever it is in the file's path; one that begins
   * with `/` or a drive only at its beginning. FUNCTION: the function's name, with or without its parameters, where `*`
   * stands for any characters.
   */
  kind: 'PATH' | 'FUNCTION';
  pattern: string;
  isOwn: boolean;
}

/**
 * The report as it is with these rules, of which the first that matches a frame decides; without one the reader's own
 * judgement stands. Culprit, explanation and fingerprint follow where the own frames of the crash have changed. Rules
 * that were applied before do not count any more.
 */
export function applyOwnCode(report: CrashReport, rules: readonly OwnCodeRule[]): CrashReport {
  const read = withoutRules(report);
  if (rules.length === 0) return read;
  const decide = decider(rules);
  const judged = { ...read, tasks: read.tasks.map((task) => decideFrames(task, decide)) };
  const before = ownFrames(read);
  const after = ownFrames(judged);
  const isSame =
    before.length === after.length &&
    before.every(({ index, pc }, at) => index === after[at]?.index && pc === after[at]?.pc);
  if (isSame && (before.length > 0 || mayStay(read, decide))) return judged;
  const culprit =
    culpritOfFrames(judged) ?? (before.length === 0 && mayStay(read, decide) ? read.culprit : null);
  const placed = { ...judged, culprit };
  return {
    ...placed,
    explanation: explainAgain(read, placed),
    fingerprint: fingerprint(placed),
    asRead: placeIn(read),
  };
}

/** The report as the reader judges it. */
function withoutRules({ asRead, ...report }: CrashReport): CrashReport {
  return { ...report, ...asRead, tasks: report.tasks.map(judgeFrames) };
}

/** The report for the database: judgements that the reader would make again are left out. */
export function withoutJudgement(report: CrashReport): CrashReport {
  return { ...report, tasks: report.tasks.map(unjudged) };
}

function unjudged(task: CrashTask): CrashTask {
  const { frames, interruptedFrames } = judgeFrames(task);
  return {
    ...task,
    frames: task.frames.map((frame, at) => withoutEqual(frame, frames[at])),
    interruptedFrames: task.interruptedFrames.map((frame, at) => withoutEqual(frame, interruptedFrames[at])),
  };
}

function withoutEqual({ isOwnCode, ...frame }: StackFrame, judged: StackFrame | undefined): StackFrame {
  return isOwnCode === undefined || isOwnCode === judged?.isOwnCode ? frame : { ...frame, isOwnCode };
}

function placeIn({ culprit, explanation, fingerprint: print }: CrashReport): PlaceOfCrash {
  return { culprit, explanation, fingerprint: print };
}

/** A place that comes from no frame (a task's function, the caller that a text names), unless a rule says otherwise. */
function mayStay({ culprit, kind }: CrashReport, decide: Decide): boolean {
  return culprit === null || kind === 'TASK_RETURNED' || decide(culprit) !== false;
}

type Decide = (place: Pick<Culprit, 'file'> & { function: string | null }) => boolean | null;

/** Backtraces of many tasks end in the same functions, so each is decided once. */
function decider(rules: readonly OwnCodeRule[]): Decide {
  const known = new Map<string, boolean | null>();
  return (place) => {
    const key = `${place.function ?? ''}\0${place.file ?? ''}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const decision = rules.find((rule) => matches(rule, place))?.isOwn ?? null;
    known.set(key, decision);
    return decision;
  };
}

function decideFrames(task: CrashTask, decide: Decide): CrashTask {
  const decided = (frame: StackFrame): StackFrame => {
    // Without a name a frame cannot be a place.
    const decision = frame.function === null ? null : decide(frame);
    return decision === null ? frame : { ...frame, isOwnCode: decision };
  };
  return {
    ...task,
    frames: task.frames.map(decided),
    interruptedFrames: task.interruptedFrames.map(decided),
  };
}

function matches({ kind, pattern }: OwnCodeRule, place: Parameters<Decide>[0]): boolean {
  if (kind === 'PATH') return place.file !== null && isBelow(place.file, pattern);
  return place.function !== null && matchesName(place.function, pattern);
}

/** Whether a function's name matches a pattern, with its parameters or without. */
export function matchesName(name: string, pattern: string): boolean {
  return matchesPattern(name, pattern) || matchesPattern(plainName(name), pattern);
}

/** Whether whole names of a path, one after the other, are those of the pattern. */
function isBelow(file: string, pattern: string): boolean {
  const wanted = plainPath(pattern);
  if (wanted === '') return false;
  const path = plainPath(file);
  const isAbsolute = wanted.startsWith('/') || /^[a-z]:/i.test(wanted);
  return isAbsolute ? `${path}/`.startsWith(`${wanted}/`) : `/${path}/`.includes(`/${wanted}/`);
}

/** With `/` between names, and without `.`, `..` and a `/` at the end. */
function plainPath(path: string): string {
  const names: string[] = [];
  for (const [at, name] of path.replaceAll('\\', '/').split('/').entries()) {
    if (name === '..' && names.length > 0 && names.at(-1) !== '..' && names.at(-1) !== '') names.pop();
    else if (name !== '.' && (name !== '' || at === 0)) names.push(name);
  }
  return names.join('/');
}

/** The explanation names the place; what it was made of is not all in the report. */
function explainAgain(read: CrashReport, placed: CrashReport): string | null {
  const address = read.faultAddress === null ? null : Number(read.faultAddress);
  if (explainReport({ ...read, address }, null) === read.explanation)
    return explainReport({ ...placed, address }, null);
  const before = placeOf(read.culprit);
  return before === '' || read.explanation === null
    ? read.explanation
    : read.explanation.replace(before, () => placeOf(placed.culprit));
}
