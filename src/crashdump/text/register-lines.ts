import type { Architecture } from '../arch/architecture.js';
import { causeOf } from '../arch/architectures.js';
import type { Dump } from '../core/core.js';
import { plainHex } from '../hex.js';
import type { CrashReport, Register } from '../report.js';

/** GDB's register types: code and data pointers are printed with their symbol, others as numbers. */
const CODE_POINTERS = new Set(['pc', 'ra']);
const DATA_POINTERS = new Set(['sp', 'gp', 'tp', 'fp']);
const UNSIGNED = new Set(['lbeg', 'lend', 'lcount', 'sar', 'ps']);
const EXCEPTION = /^(exccause|excvaddr|ep[cs]\d)$/;

/** The peer's exception registers, then `info registers`. `hasUnavailable`: also those that no core dump contains. */
export function registerLines(
  report: Pick<CrashReport, 'registers'> & { hasUnavailable?: boolean },
  { architecture }: Dump,
): string[] {
  const { separator, listsException, unavailable } = architecture.registerText;
  const isException = (register: Register) => listsException && EXCEPTION.test(register.name);
  const lines = report.registers
    .filter(isException)
    .map((register) => `${name(register)}${exceptionValue(register, architecture)}`);
  const { hasUnavailable = true } = report;
  if (listsException && hasUnavailable && lines.length === 0)
    lines.push('Exception registers have not been found!');

  for (const register of report.registers) {
    if (isException(register)) continue;
    if (hasUnavailable && register.name === unavailable?.before)
      lines.push(...unavailable.names.map(unavailableLine));
    const value = plainHex(register.value);
    const column = separator === 'tab' ? `${value}\t` : value.padEnd(20);
    lines.push(`${name(register)}${column}${naturalValue(register)}${note(register)}`);
  }
  return lines;
}

function unavailableLine(register: string): string {
  return `${register.padEnd(15)}<unavailable>`;
}

function name(register: Register): string {
  return register.name.padEnd(15);
}

function exceptionValue({ name: register, value }: Register, architecture: Architecture): string {
  const cause = register === 'exccause' ? ` (${causeOf(architecture, Number.parseInt(value, 16)).name})` : '';
  return `${plainHex(value)}${cause}`;
}

function naturalValue(register: Register): string {
  const value = Number.parseInt(register.value, 16);
  if (CODE_POINTERS.has(register.name) || DATA_POINTERS.has(register.name)) {
    return `${plainHex(register.value)}${register.symbol === null ? '' : ` <${register.symbol}>`}`;
  }
  return String(UNSIGNED.has(register.name) ? value : value | 0);
}

function note({ meaning }: Register): string {
  return meaning === null ? '' : `  (${meaning})`;
}
