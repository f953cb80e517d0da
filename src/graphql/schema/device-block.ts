import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';

export const DeviceIdentity = builder.objectRef<reader.DeviceIdentity>('DeviceIdentity').implement({
  description: 'Who the device says it is: the device component writes it into every dump.',
  fields: (t) => ({
    model: t.exposeString('model', {
      nullable: true,
      description: 'Code of its model: `thermostat`. Null when the firmware does not know it.',
    }),
    serial: t.exposeString('serial', {
      description: 'Its serial, by default the factory MAC: `7cdfa1e5d3c8`.',
    }),
    firmwareVersion: t.exposeString('firmwareVersion', {
      description: 'Version of the firmware that crashed: `1.2.3`.',
    }),
    project: t.exposeString('project', { description: 'Name of the firmware’s project: `thermostat`.' }),
    elfSha256: t.exposeString('elfSha256', {
      nullable: true,
      description: 'SHA-256 of the ELF of the firmware that crashed, 64 digits. Null when it has none.',
    }),
    bootId: t.exposeString('bootId', { description: 'Random for each run of the firmware: 16 digits.' }),
    bootCount: t.exposeFloat('bootCount', {
      description: 'Boots since power was applied, the run that crashed included.',
    }),
    resetReason: t.exposeString('resetReason', {
      description: 'Why the run that crashed had been started: `poweron`, `panic`, `task_wdt`.',
    }),
  }),
});

const DeviceValueType = builder.enumType('DeviceValueType', {
  description: 'What a named value is. Values may be added.',
  values: {
    INTEGER: { value: 'integer', description: 'A whole number of at most 64 bits.' },
    FLOAT: { value: 'float', description: 'A number with a fraction.' },
    TEXT: { value: 'text', description: 'A text of at most 32 bytes.' },
  } as const,
});

export const DeviceValue = builder.objectRef<reader.DeviceValue>('DeviceValue').implement({
  description: 'A value that the firmware had set by `coredock_set` when it crashed.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As the firmware names it: `wifi_rssi`.' }),
    type: t.expose('type', { type: DeviceValueType, description: 'What it is.' }),
    value: t.exposeString('value', {
      description: 'As text: `-61`, `3.71`, `connecting`. Viewers get `<redacted>` for texts.',
    }),
  }),
});
