export { Malformed } from './bytes.js';
export { UnreadableFirmware } from './elf/elf-file.js';
export { type FirmwareIdentity, readFirmwareIdentity } from './elf/identity.js';
export { openFirmware } from './firmware.js';
export type { FirmwareImage } from './firmware-image.js';
export { type DumpIdentity, peekDump } from './peek.js';
export type { CrashReport } from './report.js';
export { UnreadableDump } from './unreadable.js';
