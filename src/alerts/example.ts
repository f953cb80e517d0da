import { type Alert, bareAlert } from './payload.js';

/** What a test sends: how an alert of a real crash looks. Its ids are of nothing. */
export function exampleAlert(now: Date): Alert {
  const place = { file: 'main/sensor.c', sourceUrl: null };
  return {
    ...bareAlert('TEST', now),
    group: {
      id: '',
      title: 'LoadProhibited in sensor_read (sensor.c)',
      reason: 'LoadProhibited at 0x00000010',
      count: 3,
      deviceCount: 2,
      firmwareVersion: '1.2.3',
      crashesInHour: 3,
      kind: 'INVALID_READ',
      state: 'OPEN',
    },
    crash: {
      coredumpId: '',
      at: now.toISOString(),
      model: { code: 'example', name: 'Example' },
      device: { key: 'example1', serial: 'EX-0001', name: 'Example device' },
      version: '1.2.3',
      chip: 'esp32s3',
      source: 'CORE_DUMP',
      task: 'sensor_task',
      cause: 'NULL pointer plus offset 0x10 read in `sensor_read` at sensor.c:88',
      frames: [
        { function: 'sensor_read', line: 88, ...place },
        { function: 'sensor_task', line: 141, ...place },
      ],
    },
  };
}
