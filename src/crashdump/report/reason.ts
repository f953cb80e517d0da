import type { Cause } from '../arch/architecture.js';
import { ARCHITECTURES, causeOf } from '../arch/architectures.js';
import { type Dump, nounOf } from '../core/core.js';
import type { CrashKind } from '../crash-kind.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import type { ReadMemory } from '../read-memory.js';
import { kindOfText, type PanicText, panicTextInMemory, splitPanicText, textAt } from './panic-text.js';
import { endOfStackWatchpoint } from './stack-watchpoint.js';
import type { TaskLayout } from './task-layout.js';

export interface PanicReason extends PanicText {
  kind: CrashKind;
  /** The address that the faulting instruction accessed; null for other kinds of faults. */
  address: number | null;
}

/** The texts of abort(), assert() and the watchdogs take precedence over the exception that they raise. */
export function panicReason(
  dump: Dump,
  firmware: FirmwareImage | null,
  layout: TaskLayout | null,
): PanicReason {
  const details = dump.panicDetails ?? abortText(dump, firmware);
  if (details) {
    const split = splitPanicText(details);
    return { ...split, kind: kindOfText(split.text), address: null };
  }
  const { cause, address } = dump.exception;
  if (cause === null || cause === NEVER_WRITTEN)
    return {
      kind: 'OTHER',
      text: `The ${nounOf(dump)} does not say why the chip stopped`,
      address: null,
      watchdogTasks: [],
    };
  const reason = fault(causeOf(dump.architecture, cause), address, dump);
  if (reason.kind !== 'BREAKPOINT') return reason;
  return { ...reason, kind: endOfStackWatchpoint(dump, firmware, layout) ? 'STACK_OVERFLOW' : 'BREAKPOINT' };
}

/** The mark of a frame in which nobody wrote a cause. */
export const NEVER_WRITTEN = 0xdeadc0de;

/**
 * The kind for a report without one, from an earlier version of the reader or from another sidecar.
 * @param reason its one line, as `panicReason` words it
 */
export function kindOfReason(reason: string): CrashKind {
  const kind = kindOfText(reason);
  if (kind !== 'OTHER') return kind;
  const [name = ''] = reason.split(/ at (?:PC )?0x/);
  return causeNamed(name)?.kind ?? 'OTHER';
}

/** The cause at the beginning of a reason; null when no architecture has such a cause. */
function causeNamed(name: string): Cause | null {
  const all = ARCHITECTURES.flatMap(({ causes }) => [...causes.values()]);
  return all.find((candidate) => shortName(candidate) === name) ?? null;
}

function fault(cause: Cause, touched: number | null, dump: Dump): PanicReason {
  const name = shortName(cause);
  const address = cause.hasAddress ? touched : null;
  const pc = pcOfCrash(dump);
  const place = address !== null ? ` at ${hex32(address)}` : pc !== undefined ? ` at PC ${hex32(pc)}` : '';
  return { kind: cause.kind, text: `${name}${place}`, address, watchdogTasks: [] };
}

/** Undefined for a text without it; without registers it is that of the first call. */
function pcOfCrash({ tasks: [crashed] }: Dump): number | undefined {
  if (crashed === undefined) return undefined;
  const { pc, missing } = crashed.registers;
  return pc === 0 && missing?.has('pc') === true ? undefined : pc;
}

/** "LoadProhibited" for the table's LoadProhibitedCause. */
function shortName({ name }: Cause): string {
  return name.replace(/Cause$/, '');
}

/**
 * The text of a dump that does not carry it (of IDF before 5.1, and every BIN dump). `panic_abort(const char *details)`
 * stops the chip by a write to address 0.
 */
function abortText(dump: Dump, firmware: FirmwareImage | null): string | null {
  const crashed = dump.tasks[0];
  if (!crashed) return null;
  const { cause, address } = dump.exception;
  const isInPanicAbort = firmware?.symbolAt(crashed.registers.pc)?.name === 'panic_abort';
  const isWriteToNull =
    cause !== null && causeOf(dump.architecture, cause).kind === 'INVALID_WRITE' && address === 0;
  if (!isInPanicAbort && !isWriteToNull) return null;
  const read: ReadMemory = (at, length) =>
    dump.memory.read(at, length) ?? firmware?.readAt(at, length) ?? null;
  const details = crashed.registers.general[dump.architecture.firstArgument] ?? 0;
  return (isInPanicAbort ? textAt(details, dump.memory.read) : null) ?? panicTextInMemory(dump, read);
}
