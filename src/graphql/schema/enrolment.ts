import { builder } from './builder.js';
import { Device } from './device.js';
import { Firmware } from './firmware.js';

builder.objectFields(Device, (t) => ({
  lastSeenAt: t.expose('lastSeenAt', {
    type: 'DateTime',
    nullable: true,
    description:
      'When it was last heard of: an upload, a boot report or a use of its token, the latter accurate to some seconds. ' +
      'Null: never.',
  }),
  lastBootAt: t.expose('lastBootAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When its last boot report (`POST /api/iot/boot`) arrived. Null: it sent none.',
  }),
  lastBootVersion: t.exposeString('lastBootVersion', {
    nullable: true,
    description: 'The firmware version of its last boot report: `1.4.2`.',
  }),
  lastBootElfSha256: t.exposeString('lastBootElfSha256', {
    nullable: true,
    description:
      'The build of its last boot report: leading hexadecimal digits of the ELF’s SHA-256, as many as the device sent.',
  }),
  lastBootChip: t.exposeString('lastBootChip', {
    nullable: true,
    description: 'The chip of its last boot report: `esp32s3`.',
  }),
  lastResetReason: t.exposeString('lastResetReason', {
    nullable: true,
    description:
      'Why it started, by its last boot report: ESP-IDF’s name without `ESP_RST_`, in lower case: `poweron`, `task_wdt`. A ' +
      'text, because ESP-IDF adds reasons.',
  }),
  lastBootUptimeSeconds: t.exposeInt('lastBootUptimeSeconds', {
    nullable: true,
    description:
      'How long the run before its last boot lasted, in whole seconds: 3600. Null: not told, as after power on.',
  }),
  lastBootCrashPending: t.exposeBoolean('lastBootCrashPending', {
    nullable: true,
    description:
      'Whether a crash waited on the device to be uploaded, by its last boot report. It stays true when the crash arrives. ' +
      'Null: not told.',
  }),
  lastBootFirmware: t.field({
    type: Firmware,
    nullable: true,
    description:
      'The stored build that it runs: by `lastBootElfSha256`, or the newest of `lastBootVersion` where that has fewer than ' +
      'eight digits. Null: nobody has uploaded it.',
    resolve: (
      { modelId, lastBootVersion: version, lastBootChip: chip, lastBootElfSha256: elfSha256 },
      _,
      { loaders },
    ) => (version === null ? null : loaders.firmwares.running.load({ modelId, version, chip, elfSha256 })),
  }),
}));
