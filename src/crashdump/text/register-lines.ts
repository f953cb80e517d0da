import type { Dump } from '../core/read-dump.js';
import { xtensaCause } from '../report/causes.js';
import type { CrashReport, Register } from '../report.js';
import { plainHex } from './plain-hex.js';

/** GDB's types of the registers: code and data pointers are shown with their symbol, the others as numbers. */
const CODE_POINTERS = new Set(['pc', 'ra']);
const DATA_POINTERS = new Set(['sp', 'gp', 'tp', 'fp']);
const UNSIGNED = new Set(['lbeg', 'lend', 'lcount', 'sar', 'ps']);
const EXCEPTION = /^(exccause|excvaddr|ep[cs]\d)$/;

/** GDB lists these for every Xtensa chip; core dumps do not hold them. */
const XTENSA_UNAVAILABLE = [
  ...['threadptr', 'br', 'scompare1', 'acclo', 'acchi', 'm0', 'm1', 'm2', 'm3', 'expstate'],
  ...['f64r_lo', 'f64r_hi', 'f64s', 'fcr', 'fsr'],
];

/** The peer's exception registers, then `info registers`. */
export function registerLines(report: CrashReport, dump: Dump): string[] {
  if (dump.architecture === 'riscv')
    return report.registers.map((register) => `${name(register)}${riscvValue(register)}`);

  const exception = report.registers.filter((register) => EXCEPTION.test(register.name));
  const others = report.registers.filter((register) => !EXCEPTION.test(register.name));
  const lines = exception.map((register) => `${name(register)}${exceptionValue(register)}`);
  if (exception.length === 0) lines.push('Exception registers have not been found!');
  for (const register of others) {
    if (register.name === 'a0')
      lines.push(...XTENSA_UNAVAILABLE.map((unavailable) => `${unavailable.padEnd(15)}<unavailable>`));
    lines.push(
      `${name(register)}${plainHex(register.value).padEnd(20)}${naturalValue(register)}${note(register)}`,
    );
  }
  return lines;
}

function name(register: Register): string {
  return register.name.padEnd(15);
}

function exceptionValue({ name: register, value }: Register): string {
  const cause = register === 'exccause' ? ` (${xtensaCause(Number.parseInt(value, 16)).name})` : '';
  return `${plainHex(value)}${cause}`;
}

/** The RISC-V GDB separates by tabs. */
function riscvValue(register: Register): string {
  return `${plainHex(register.value)}\t${naturalValue(register)}${note(register)}`;
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
