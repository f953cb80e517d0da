import { DatabaseSync } from '@photostructure/sqlite';

/**
 * Devices with dumps that have been read, put into the tables of a stopped server of whatever version: only columns that
 * every one has.
 */
export function fillWithTexts(
  file: string,
  { devices, dumpsEach, textBytes }: { devices: number; dumpsEach: number; textBytes: number },
): void {
  const database = new DatabaseSync(file);
  const at = Date.now();
  const [text, report] = [textOf(textBytes), JSON.stringify(reportOf(textBytes))];
  database.exec('BEGIN');
  database
    .prepare(`INSERT INTO "DeviceModel" ("id", "code", "name", "createdAt") VALUES (1, 'thermostat', 'T', ?)`)
    .run(at);
  const device = database.prepare(
    `INSERT INTO "Device" ("id", "key", "modelId", "tokenSha256", "createdAt", "updatedAt") VALUES (?, ?, 1, ?, ?, ?)`,
  );
  const dump = database.prepare(
    `INSERT INTO "Coredump" ("id", "deviceId", "filename", "chip", "firmwareVersion", "size", "sha256", "uploadedAt",
       "parseStatus", "parsedAt") VALUES (?, ?, ?, 'esp32c3', '1.0.0', 64, ?, ?, 'PARSED', ?)`,
  );
  const texts = database.prepare(
    `INSERT INTO "CoredumpText" ("coredumpId", "output", "report") VALUES (?, ?, ?)`,
  );
  for (let id = 1; id <= devices; id++) {
    device.run(id, `d${id}`, `t${id}`, at, at);
    for (let index = 0; index < dumpsEach; index++) {
      const dumpId = (id - 1) * dumpsEach + index + 1;
      dump.run(dumpId, id, `c${dumpId}.dmp`, `s${dumpId}`, at, at);
      texts.run(dumpId, `${dumpId}\n${text}`, report);
    }
  }
  database.exec('COMMIT');
  database.close();
}

function textOf(bytes: number): string {
  const line = 'abort() was called at PC 0x42009351 on core 0\n';
  return line.repeat(bytes / line.length);
}

function reportOf(bytes: number): object {
  const frame = { index: 0, pc: '0x42009351', function: 'sensor_read', file: 'main/sensor.c', line: 42 };
  const frames = new Array(20).fill(frame);
  const task = { name: 'main', tcb: '0x3fc8ea9c', frames };
  return { reason: 'abort', tasks: new Array(Math.ceil(bytes / JSON.stringify(task).length)).fill(task) };
}
