import { createReadStream } from 'node:fs';

/**
 * What esp-crash's component keeps in memory that every dump includes (esp_crash_identifier.c):
 * `ESP_CRASH:project;version;device;`. The ELF of a build has the same text without the device.
 */
export interface EspCrashIdentity {
  readonly project: string;
  /** The version that crashed; the device may run another one by now. */
  readonly version: string;
  /** Empty in a build, and in a dump from before the device had set it. */
  readonly device: string;
}

/** The component has a buffer of 128 bytes for all of it. */
const MAX_BYTES = 128;
/** Bounded by that buffer: a hostile file of nothing but beginnings would be searched to its end from each of them. */
const IDENTITY = /ESP_CRASH:([^;\0\r\n]{1,117});([^;\0\r\n]{1,117});([^;\0\r\n]{0,117});/g;

/**
 * Searches a file for the identity. One that names a device is preferred: memory may also hold the text from before the
 * device was set, or the pattern that it is printed with.
 */
export async function findEspCrashIdentity(file: string): Promise<EspCrashIdentity | null> {
  let withoutDevice: EspCrashIdentity | null = null;
  let rest = '';
  for await (const chunk of createReadStream(file)) {
    const bytes: Buffer = chunk;
    // Latin-1 keeps every byte as one character, so that nothing is lost where a chunk ends.
    const text = rest + bytes.toString('latin1');
    for (const [, project = '', version = '', device = ''] of text.matchAll(IDENTITY)) {
      const identity = { project, version, device: device.includes('%s') ? '' : device };
      if (identity.device !== '') return identity;
      withoutDevice ??= identity;
    }
    rest = text.slice(-MAX_BYTES);
  }
  return withoutDevice;
}

/** The code of the model for a project: `ecu-hub-esp32` is `ecu_hub_esp32`. */
export function modelCodeOf(project: string): string {
  return project
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, '_')
    .slice(0, 32);
}

/** The serial of a device that did not set its id: all such devices of a model share it. */
const WITHOUT_ID = 'without-id';

export function serialOf(device: string): string {
  return device === '' ? WITHOUT_ID : device.replaceAll(/[^A-Za-z0-9._:-]/g, '-').slice(0, 64);
}

/** The version as an upload may name it: `release/1.2` is `release-1.2`. */
export function versionLabelOf(version: string): string {
  return version
    .replaceAll(/[^A-Za-z0-9._+-]/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .slice(0, 64);
}
