import type { Cause } from '../arch/architecture.js';
import { ARCHITECTURES, causeOf } from '../arch/architectures.js';
import type { Dump } from '../core/core.js';
import type { CrashKind } from '../crash-kind.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import { printable } from '../printable.js';

export interface PanicReason {
  kind: CrashKind;
  /** One line: "abort() was called at PC 0x42009351 on core 0", "LoadProhibited at 0x00000010". */
  text: string;
  /** The address that the faulting instruction accessed; null for other kinds of faults. */
  address: number | null;
}

/** The texts of abort(), assert() and the watchdogs take precedence over the exception that they raise. */
export function panicReason(dump: Dump, firmware: FirmwareImage | null): PanicReason {
  const details = dump.panicDetails ?? panicTextInMemory(dump, firmware);
  if (details) return { kind: kindOfText(details), text: details, address: null };

  const { cause, address } = dump.exception;
  if (cause !== null) return fault(causeOf(dump.architecture, cause), address, dump);
  return { kind: 'OTHER', text: 'The dump does not say why the chip stopped', address: null };
}

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
  const pc = dump.tasks[0]?.registers.pc;
  const place = address !== null ? ` at ${hex32(address)}` : pc !== undefined ? ` at PC ${hex32(pc)}` : '';
  return { kind: cause.kind, text: `${name}${place}`, address };
}

/** "LoadProhibited" for the table's LoadProhibitedCause. */
function shortName({ name }: Cause): string {
  return name.replace(/Cause$/, '');
}

/** The texts of ESP-IDF (panic.c, assert.c, task_wdt.c, stack_check.c, FreeRTOS-Kernel hooks). */
function kindOfText(text: string): CrashKind {
  if (/stack overflow/i.test(text)) return 'STACK_OVERFLOW';
  if (/stack smashing/i.test(text)) return 'STACK_SMASHED';
  if (/^assert failed/i.test(text)) return 'ASSERT';
  if (/task watchdog/i.test(text)) return 'TASK_WATCHDOG';
  if (/interrupt w(atch)?d(og|t)/i.test(text)) return 'INTERRUPT_WATCHDOG';
  if (/^abort\(\)/.test(text)) return 'ABORT';
  return 'OTHER';
}

const LONGEST_TEXT = 256;

/**
 * Dumps of IDF before 5.1, and all BIN dumps, do not contain the text. After `panic_abort(const char *details)` it is
 * still referenced from the stack.
 */
function panicTextInMemory(dump: Dump, firmware: FirmwareImage | null): string | null {
  const crashed = dump.tasks[0];
  if (!crashed || firmware?.symbolAt(crashed.registers.pc)?.name !== 'panic_abort') return null;
  const address = crashed.registers.general[dump.architecture.firstArgument] ?? 0;
  const segment = dump.memory.segmentAt(address);
  if (!segment) return null;
  const bytes = segment.bytes.subarray(address - segment.address).subarray(0, LONGEST_TEXT);
  const end = bytes.indexOf(0);
  const text = printable(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))).trim();
  return text === '' ? null : text;
}
