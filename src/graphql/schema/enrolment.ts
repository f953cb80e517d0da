import { builder } from './builder.js';
import { Device } from './device.js';

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
}));
