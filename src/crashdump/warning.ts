/** What a warning of a report is about. Members may be added. */
export const WARNING_CODES = [
  // The upload around the dump.
  'TEXT_WITH_DUMP',
  'DUMP_CUT',
  'DUMP_DAMAGED',
  'DUMP_HAS_GAPS',
  'SEVERAL_DUMPS',
  'DUMP_UNREADABLE',
  // A text about a crash.
  'SEVERAL_CRASHES',
  'TEXT_CUT',
  'BACKTRACE_CORRUPTED',
  'NO_CRASH',
  // The dump's own data.
  'UNKNOWN_VERSION',
  'VERSIONS_DIFFER',
  'UNKNOWN_CHIP',
  'CHIPS_DIFFER',
  'SEGMENT_LEFT_OUT',
  'SEGMENTS_OVERLAP',
  'NOTE_LEFT_OUT',
  'LIMIT_REACHED',
  'CRASHED_TASK_UNKNOWN',
  'TASK_BROKEN',
  'STACK_OVERFLOW',
  // The firmware.
  'NO_FIRMWARE',
  'FIRMWARE_DIFFERS',
  'FIRMWARE_DOES_NOT_FIT',
  'FIRMWARE_UNPROVEN',
  'FIRMWARE_FOR_OTHER_CHIP',
  'FIRMWARE_UNREADABLE',
  'FIRMWARE_INCOMPLETE',
  'FIRMWARE_STRIPPED',
  'FIRMWARE_NO_CALL_FRAMES',
  'FIRMWARE_COMPRESSED',
  'FIRMWARE_SPLIT_DEBUG',
  'ROM_UNREADABLE',
  'BUILD_CHOSEN',
  'SEVERAL_BUILDS',
  'FIRMWARE_VERSIONS_DIFFER',
  /** From a reader that gave no code. */
  'OTHER',
] as const;

export type WarningCode = (typeof WARNING_CODES)[number];

/** A part of the report that was cut, broken or doubtful; the rest stays reliable. */
export interface ReportWarning {
  code: WarningCode;
  /** One sentence for people. */
  message: string;
}
