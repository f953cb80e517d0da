/**
 * Why a device was reset, and which resets are crashes: the one place that decides it. The reasons are those of ESP-IDF's
 * `esp_reset_reason_t`, without `ESP_RST_` and in lower case.
 */

/** What a reset says of the run that it ended: a fault of the program, of its power supply, or nothing bad. */
export const RESET_KINDS = ['CRASH', 'POWER', 'NORMAL'] as const;
export type ResetKind = (typeof RESET_KINDS)[number];

/**
 * A panic and a watchdog are crashes, whether a dump came or not; a locked CPU is a panic within a panic. A supply that
 * is too low or has spikes is no fault of the program, so it is counted apart. Each reason has its counter in `DeviceDay`.
 */
export const RESET_REASONS = {
  unknown: { kind: 'NORMAL', column: 'resetUnknown' },
  poweron: { kind: 'NORMAL', column: 'resetPoweron' },
  ext: { kind: 'NORMAL', column: 'resetExt' },
  sw: { kind: 'NORMAL', column: 'resetSw' },
  panic: { kind: 'CRASH', column: 'resetPanic' },
  int_wdt: { kind: 'CRASH', column: 'resetIntWdt' },
  task_wdt: { kind: 'CRASH', column: 'resetTaskWdt' },
  wdt: { kind: 'CRASH', column: 'resetWdt' },
  deepsleep: { kind: 'NORMAL', column: 'resetDeepsleep' },
  brownout: { kind: 'POWER', column: 'resetBrownout' },
  sdio: { kind: 'NORMAL', column: 'resetSdio' },
  usb: { kind: 'NORMAL', column: 'resetUsb' },
  jtag: { kind: 'NORMAL', column: 'resetJtag' },
  efuse: { kind: 'NORMAL', column: 'resetEfuse' },
  pwr_glitch: { kind: 'POWER', column: 'resetPwrGlitch' },
  cpu_lockup: { kind: 'CRASH', column: 'resetCpuLockup' },
  /** Whatever else a device sends: the counters do not grow with what it makes up. */
  other: { kind: 'NORMAL', column: 'resetOther' },
} as const satisfies Record<string, { kind: ResetKind; column: string }>;

export type ResetReason = keyof typeof RESET_REASONS;
type ResetColumn = (typeof RESET_REASONS)[ResetReason]['column'];

export const ALL_RESET_REASONS = Object.keys(RESET_REASONS) as ResetReason[];
export const RESET_COLUMNS: readonly ResetColumn[] = ALL_RESET_REASONS.map(
  (reason) => RESET_REASONS[reason].column,
);

/** The counter for what a device sent; null, when it sent no reason, is what ESP-IDF calls unknown. */
export function resetReasonOf(sent: string | null): ResetReason {
  if (sent === null) return 'unknown';
  return Object.hasOwn(RESET_REASONS, sent) ? (sent as ResetReason) : 'other';
}

export function isCrash(reason: ResetReason): boolean {
  return RESET_REASONS[reason].kind === 'CRASH';
}

/** The sum of the counters of a kind, as SQL. @param row the alias of a row of `DeviceDay` */
export function sumOfKind(kind: ResetKind, row: string): string {
  return sumOf(
    ALL_RESET_REASONS.filter((reason) => RESET_REASONS[reason].kind === kind),
    row,
  );
}

/** The sum of all counters: how many runs ended. */
export function sumOfResets(row: string): string {
  return sumOf(ALL_RESET_REASONS, row);
}

function sumOf(reasons: readonly ResetReason[], row: string): string {
  return `(${reasons.map((reason) => `${row}."${RESET_REASONS[reason].column}"`).join(' + ')})`;
}
