import type { PrintedCall } from './crash-text.js';
import {
  type CoreDraft,
  clean,
  type FoundCrash,
  MOST_CALLS,
  MOST_DETAILS,
  newCore,
  noCrash,
} from './found-crash.js';
import type { Line } from './lines.js';

/** ESPHome's crash_handler.cpp of `esp32`, since 2026.3. It prints at the boot after the crash, and to each client. */
const START = 'CRASH DETECTED ON PREVIOUS BOOT';
const REASON = /^Reason: {1,4}(.{1,120}?)(?: \(cause (\d{1,10})\))?$/;
const CORE = /^Crashed core: {1,4}(\d)/;
const OTHER_CORE = /^Other core \((\d)\) backtrace/;
const PC = /^PC: {1,4}0x([0-9a-fA-F]{8})(?: |$)/;
const ADDRESS = /^(EXCVADDR|MTVAL): {1,4}0x([0-9a-fA-F]{8})/;
const CALL = /^BT\d{1,2}: {1,4}0x([0-9a-fA-F]{8})(?: {1,4}\((backtrace|stack scan)\)?)?/;
const HINT = /^(?:Use|Other core): {1,4}addr2line/;
const CALLS_IN_LINE = /^Backtrace: {1,4}0x[0-9a-fA-F]{8}/;
const HEX = /0x([0-9a-fA-F]{8})(?![0-9a-zA-Z])/g;
/** The handlers of the ESP8266 and the RP2040 have the same first line. */
const OTHER_CHIPS =
  /\(exccause=|^Reason: (?:Exception|Soft WDT|Hardware WDT)|^(?:LR|SP): {1,4}0x|\(stack backtrace\)/;
const OTHER_TAGS = /^(?:esp8266|rp2040\.crash|rp2\.crash)$/;
/** Sixteen entries for each core, and the lines of other components in between. */
const MOST_LINES = 80;

/** What the panic handler would have printed for kinds that are no exceptions. */
const TEXTS: Readonly<Record<string, string>> = { Abort: 'abort()', 'Task wdt': 'Task watchdog' };

const WHAT_HIDES =
  'ESPHome before 2026.8 reports abort(), failed assertions and the task watchdog as an illegal instruction too.';

/** Reports of a chip that is not supported are none. */
export function readEsphomeCrashes(lines: readonly Line[]): FoundCrash[] {
  const found: FoundCrash[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index];
    if (line === undefined || !line.body.includes(START)) continue;
    const crash = OTHER_TAGS.test(line.tag ?? '') ? null : readReport(lines, index);
    if (crash === null) continue;
    // Each client that connects gets it again.
    const isRepeated = found.some((other) => sameRecord(other) === sameRecord(crash));
    if (!isRepeated) found.push(crash);
    index = crash.last;
  }
  return found;
}

function sameRecord({ exceptionDetails, cores }: FoundCrash): string {
  return JSON.stringify([exceptionDetails, cores.map(({ calls, registers }) => [calls, [...registers]])]);
}

function readReport(lines: readonly Line[], first: number): FoundCrash | null {
  const report = { ...noCrash('ESPHome crash report', first), exceptionDetails: [] as string[] };
  const [failing] = report.cores;
  let core: CoreDraft | undefined = failing;
  let hint: number[] = [];
  let pc: number | null = null;
  const end = Math.min(lines.length, first + MOST_LINES);
  for (let index = first + 1; index < end && core !== undefined; index++) {
    const { body, tag } = lines[index] ?? { body: '', tag: null };
    if (body.includes(START) || /\brst:0x|Guru Meditation/.test(body)) break;
    if (OTHER_CHIPS.test(body)) return null;
    const number = PC.exec(body)?.[1];
    const call = CALL.exec(body);
    const reason = REASON.exec(body);
    const address = ADDRESS.exec(body);
    const coreNumber = CORE.exec(body)?.[1];
    const other = OTHER_CORE.exec(body)?.[1];
    if (reason) {
      report.exceptionName = clean(reasonName(reason[1] ?? ''));
      report.details = TEXTS[report.exceptionName] ?? null;
      report.cause = reason[2] === undefined ? null : Number(reason[2]) >>> 0;
      report.exceptionDetails.push(clean(body));
    } else if (number !== undefined) pc = Number.parseInt(number, 16);
    else if (address) {
      report.faultAddress = Number.parseInt(address[2] ?? '', 16);
      report.architecture = address[1] === 'MTVAL' ? 'riscv' : 'xtensa';
    } else if (coreNumber !== undefined) core.core = Number(coreNumber);
    else if (other !== undefined) {
      core = newCore(Number(other));
      report.cores.push(core);
    } else if (call) {
      const kind = call[2] === 'stack scan' ? 'scan' : 'call';
      if (core.calls.length < MOST_CALLS)
        core.calls.push({ pc: Number.parseInt(call[1] ?? '', 16), sp: null, kind });
    } else if (CALLS_IN_LINE.test(body)) core.calls = addressesOf(body);
    else if (HINT.test(body)) hint = hint.length === 0 ? addressesOf(body).map((entry) => entry.pc) : hint;
    else if (tag === 'esp32.crash' && report.exceptionDetails.length < MOST_DETAILS)
      report.exceptionDetails.push(clean(body));
    else continue;
    report.last = index;
  }
  pc ??= hint[0] ?? null;
  if (failing === undefined) return null;
  if (failing.calls.length === 0)
    failing.calls = hint.slice(1).map((address) => ({ pc: address, sp: null, kind: 'call' }));
  return finish(report, failing, pc);
}

function finish(
  report: ReturnType<typeof noCrash>,
  failing: CoreDraft,
  pc: number | null,
): FoundCrash | null {
  const { exceptionName } = report;
  const architecture = report.architecture ?? architectureOf(exceptionName, failing.calls, pc);
  if (pc !== null) failing.registers.set(architecture === 'riscv' ? 'mepc' : 'pc', pc);
  if (architecture === 'riscv')
    for (const { calls } of report.cores)
      for (const [index, call] of calls.entries()) call.kind = riscvKind(call, index);
  if (exceptionName === null && pc === null && failing.calls.length === 0) return null;
  const isIllegal = /^(?:IllegalInstruction|Illegal instruction|Unknown)$/.test(exceptionName ?? '');
  const missing = [];
  if (exceptionName === null) missing.push('the reason');
  if (failing.calls.length === 0) missing.push('the backtrace');
  const exceptionDetails = isIllegal ? [...report.exceptionDetails, WHAT_HIDES] : report.exceptionDetails;
  return { ...report, architecture, exceptionDetails, missing };
}

/** "StoreProhibited" of "Fault - StoreProhibited"; the kind where no cause is told. */
function reasonName(reason: string): string {
  const at = reason.indexOf(' - ');
  return at < 0 ? reason : reason.slice(at + 3);
}

/** Where MEPC is first, RA second, and the rest of the stack. */
function riscvKind({ kind }: PrintedCall, index: number): PrintedCall['kind'] {
  if (kind === 'scan') return 'scan';
  return index === 0 ? 'fault' : 'return';
}

function architectureOf(
  name: string | null,
  calls: readonly PrintedCall[],
  pc: number | null,
): string | null {
  if (calls.some(({ kind }) => kind === 'scan')) return 'riscv';
  const first = calls[0]?.pc;
  if (pc !== null && first !== undefined) {
    if (first === pc) return 'riscv';
    // Xtensa's call instructions leave the size of the window in the top bits.
    if (((pc & 0x3fff_ffff) | 0x4000_0000) - 3 === first || pc - 3 === first) return 'xtensa';
  }
  if (name === null) return null;
  if (/^(?:Instruction|Illegal|Load|Store|Environment) /.test(name)) return 'riscv';
  return /^(?:IllegalInstruction|LoadProhibited|StoreProhibited|InstrFetchProhibited|LoadStore|Integer|Unhandled)/.test(
    name,
  )
    ? 'xtensa'
    : null;
}

function addressesOf(body: string): PrintedCall[] {
  return [...body.matchAll(HEX)]
    .slice(0, MOST_CALLS)
    .map(([, hex = '']) => ({ pc: Number.parseInt(hex, 16), sp: null, kind: 'call' }));
}
