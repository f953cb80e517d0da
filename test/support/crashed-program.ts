import { readFile } from 'node:fs/promises';
import { aDevice, eventually, type Stored, stored } from './app.js';
import { uploadFirmware } from './firmware.js';
import { type CrashOf, type FixtureName, fixture } from './fixtures.js';
import { aProgram, type Program } from './program.js';

/** The built program with a model, a device (`dev1`, a thermostat) and, unless it is to come later, firmware 1.0.0. */
export async function aProgramWithDevice({
  withFirmware = true,
  environment = {},
}: {
  withFirmware?: boolean;
  environment?: Record<string, string>;
} = {}): Promise<Program> {
  const program = await aProgram('start', { environment });
  await aDevice(program as never);
  if (withFirmware) {
    await uploadFirmware(program, { elf: await readFile(fixture('thermostat-1.0.0').elfPath) });
  }
  return program;
}

/** A crash of a fixture's firmware, as the device sends it. */
export async function crash<Name extends FixtureName>(
  program: Program,
  build: Name,
  how: CrashOf<Name>,
  device = 'dev1',
  /** What the device reports: a later one after an update. */
  version = fixture(build).version,
): Promise<Stored> {
  const firmware = fixture(build);
  return stored(program, await readFile(firmware.dump(how)), { device, version });
}

/** The same, read. */
export async function readCrash<Name extends FixtureName>(
  program: Program,
  build: Name,
  how: CrashOf<Name>,
  device = 'dev1',
  /** What the device reports: a later one after an update. */
  version = fixture(build).version,
): Promise<Stored> {
  const dump = await crash(program, build, how, device, version);
  await eventually(async () => {
    const { coredump } = await program.graphql<{ coredump: { parseStatus: string } }>(
      'query ($id: ID!) { coredump(id: $id) { parseStatus } }',
      { id: dump.coredumpId },
    );
    return coredump.parseStatus !== 'PENDING';
  }, 'the parse');
  return dump;
}
