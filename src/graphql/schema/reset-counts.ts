import { type CountedReset, countResets, type ResetCounts, resetsIn } from '../../devices/reset-counts.js';
import {
  ALL_RESET_REASONS,
  type ResetKind as Kind,
  RESET_KINDS,
  RESET_REASONS,
  type ResetReason as Reason,
} from '../../devices/reset-reasons.js';
import { builder } from './builder.js';

/** Resets by their reasons; other files add them to what has such counters. */

const KINDS: Record<Kind, string> = {
  CRASH: 'A crash of the program: a panic, a watchdog, or a locked CPU, with or without a dump.',
  POWER: 'Its power supply: a voltage that was too low, or a glitch.',
  NORMAL: 'No fault is known: power on, a restart by the program, the end of deep sleep, a tool.',
};

const ResetKind = builder.enumType('ResetKind', {
  description: 'What a reset says of the run that it ended. Values may be added.',
  values: Object.fromEntries(RESET_KINDS.map((kind) => [kind, { description: KINDS[kind] }])) as Record<
    Kind,
    { description: string }
  >,
});

const REASONS: Record<Reason, string> = {
  unknown: 'The chip does not know it, or the device sent none.',
  poweron: 'Power was applied.',
  ext: 'An external pin.',
  sw: 'The program restarted itself (`esp_restart`); also a panic in firmware that does not keep its reason.',
  panic: 'A panic: an exception, an abort, a failed assertion.',
  int_wdt: 'The interrupt watchdog.',
  task_wdt: 'The task watchdog.',
  wdt: 'Another watchdog, or one that the chip does not tell apart.',
  deepsleep: 'It woke from deep sleep.',
  brownout: 'The supply voltage was too low.',
  sdio: 'A reset over SDIO.',
  usb: 'A reset by the USB peripheral.',
  jtag: 'A reset by JTAG.',
  efuse: 'An error in the eFuses.',
  pwr_glitch: 'A glitch of the power supply.',
  cpu_lockup: 'The CPU locked up: an exception within an exception.',
  other: 'A reason that this version of Coredock does not know.',
};

const nameOf = (reason: Reason) => reason.toUpperCase() as Uppercase<Reason>;

const ResetReason = builder.enumType('ResetReason', {
  description: 'Why a device was reset: ESP-IDF’s reasons, without `ESP_RST_`. Values may be added.',
  values: Object.fromEntries(
    ALL_RESET_REASONS.map((reason) => [nameOf(reason), { value: reason, description: REASONS[reason] }]),
  ) as Record<Uppercase<Reason>, { value: Reason; description: string }>,
});

const ResetCount = builder.objectRef<CountedReset>('ResetCount').implement({
  description: 'How often a run ended by a reason.',
  fields: (t) => ({
    reason: t.expose('reason', { type: ResetReason, description: 'The reason.' }),
    kind: t.field({
      type: ResetKind,
      description: 'What it says of the run.',
      resolve: ({ reason }) => RESET_REASONS[reason].kind,
    }),
    count: t.exposeInt('count', { description: 'How often; never 0.' }),
  }),
});

/** Has counters of resets: health of a version, a day, the fleet. */
export const RESETS = {
  type: [ResetCount] as [typeof ResetCount],
  /** There are as many as reasons at most. */
  complexity: { field: 1, multiplier: 4 },
  resolve: (counts: ResetCounts) => resetsIn(counts),
};

export const ofKind = (kind?: Kind) => (counts: ResetCounts) => countResets(counts, kind);
