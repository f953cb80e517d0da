import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import type { Fixture } from './fixtures.js';

/**
 * The bundle that a build would upload: `{model_code}.elf` and version.json, packed by a ZIP program that is not ours.
 * What such a program refuses to write, hostile-zip.ts does.
 *
 * @param version null leaves version.json out
 */
export async function aFirmwareBundle(
  { modelCode, elfPath, version: builtVersion }: Pick<Fixture, 'modelCode' | 'elfPath' | 'version'>,
  { folder = '', version = builtVersion }: { folder?: string; version?: string | null } = {},
): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(await readFile(elfPath), `${folder}${modelCode}.elf`);
  if (version !== null) zip.addBuffer(Buffer.from(JSON.stringify({ version })), `${folder}version.json`);
  zip.end();
  return buffer(zip.outputStream);
}
