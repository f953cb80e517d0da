import type { ResetReason } from '../generated/graphql';

/** Why devices were reset, in words. */
const WORDS: Partial<Record<ResetReason, string>> = {
  UNKNOWN: 'unknown',
  POWERON: 'power on',
  EXT: 'reset pin',
  SW: 'restart by the program',
  PANIC: 'panic',
  INT_WDT: 'interrupt watchdog',
  TASK_WDT: 'task watchdog',
  WDT: 'other watchdog',
  DEEPSLEEP: 'deep sleep',
  BROWNOUT: 'brownout',
  SDIO: 'SDIO',
  USB: 'USB',
  JTAG: 'JTAG',
  EFUSE: 'eFuse error',
  PWR_GLITCH: 'power glitch',
  CPU_LOCKUP: 'CPU lockup',
  OTHER: 'another reason',
};

/** A reason of a later server is shown by its name. */
export function resetText(reason: ResetReason): string {
  return WORDS[reason] ?? reason.toLowerCase();
}

/** As a device sent it: `task_wdt`. */
export function sentResetText(sent: string): string {
  const name = sent.toUpperCase();
  return Object.hasOwn(WORDS, name) ? resetText(name as ResetReason) : sent;
}
