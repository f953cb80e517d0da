import type { CrashText, PrintedCore } from '../../../src/crashdump/crash-text/crash-text.js';
import { linesOf } from '../../../src/crashdump/crash-text/lines.js';
import { textOfUpload, withoutEncodings } from '../../../src/crashdump/crash-text/text-of-upload.js';
import { printable } from '../../../src/crashdump/printable.js';
import { hex } from './printers.js';

const KINDS = ['call', 'return', 'fault', 'scan', 'bare'];
/** The stack of Rust's STACKDUMP, whose address is not printed. */
const UNPRINTED = 0x1000_0000;

/** What must be true of any answer, whatever was asked: every value stands in the text, and all lists are bounded. */
export function expectTrue(crash: CrashText, upload: Uint8Array): void {
  const raw = textOfUpload(upload) ?? '';
  const text = withoutEncodings(raw);
  // An entry may be divided between two lines, each with a prefix. Tasmota's JSON is read as it was sent.
  const bodies = linesOf(text).map(({ body }) => body);
  const digits = `${text}\n${bodies.join('')}\n${raw}`.toLowerCase().replaceAll(/[^0-9a-f]/g, '');
  const problems: string[] = [];
  const check = (isTrue: boolean, problem: string) => {
    if (!isTrue) problems.push(problem);
  };
  check(crash.cores.length > 0 && crash.cores.length <= 16, 'cores');
  for (const core of crash.cores) {
    for (const value of [
      ...core.registers.values(),
      ...core.calls.map(({ pc }) => pc),
      ...core.calls.flatMap(({ sp }) => sp ?? []),
    ])
      check(value === UNPRINTED || digits.includes(value.toString(16)), `0x${hex(value)} is not in the text`);
    check(core.calls.length <= 512 && core.calls.every(({ kind }) => KINDS.includes(kind)), 'calls');
    checkStack(core, digits, check);
  }
  check(crash.appElfSha256 === null || /^[0-9a-f]{8,64}$/.test(crash.appElfSha256), 'SHA-256');
  check(crash.appElfSha256 === null || digits.includes(crash.appElfSha256), 'SHA-256 of the text');
  check(
    crash.logLines.length <= 64 && crash.exceptionDetails.length <= 66 && crash.watchdogTasks.length <= 64,
    'lists',
  );
  for (const line of [
    ...crash.logLines,
    ...crash.exceptionDetails,
    crash.details ?? '',
    crash.exceptionName ?? '',
  ])
    check(line.length <= 8192 && line === printable(line), `a line: ${JSON.stringify(line.slice(0, 80))}`);
  // Not `expect`: a fuzzer asks a million times.
  if (problems.length > 0) throw new Error(problems.join('; '));
}

function checkStack(
  { stack }: PrintedCore,
  digits: string,
  check: (isTrue: boolean, problem: string) => void,
): void {
  const pieces = stack.toSorted((one, other) => one.address - other.address);
  const size = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
  check(size <= 64 * 1024 && pieces.length <= 256, 'the size of the stack');
  for (const [index, { address, bytes }] of pieces.entries()) {
    const next = pieces[index + 1];
    check(next === undefined || address + bytes.length <= next.address, 'pieces overlap');
    if (bytes.length < 4 || address === UNPRINTED) continue;
    const word = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
    check(digits.includes(hex(word)), `the word 0x${hex(word)} is not in the text`);
  }
}
