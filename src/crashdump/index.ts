export { Malformed } from './bytes.js';
export type { FirmwareImage } from './firmware-image.js';
export { type DumpIdentity, peekDump } from './peek.js';
export type { CrashReport } from './report.js';
export { UnreadableDump } from './unreadable.js';
