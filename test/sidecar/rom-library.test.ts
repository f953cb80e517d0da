import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openFirmware, UnreadableFirmware } from '../../src/crashdump/index.js';
import { createRomLibrary } from '../../src/sidecar/rom-library.js';
import { fixture } from '../support/fixtures.js';

it('gives a chip the ROM of its revision, else of the nearest earlier one, else the first', async () => {
  const { dir, first, second } = await aFolderOfRoms();
  const findRom = createRomLibrary(dir);

  expect(findRom('esp32c3', 3)?.sha256).toBe(first);
  expect(findRom('esp32c3', 100)?.sha256).toBe(first);
  expect(findRom('esp32c3', 101)?.sha256).toBe(second);
  expect(findRom('esp32c3', 0)?.sha256).toBe(first);
  expect(findRom('esp32c3', null)?.sha256).toBe(first);
  expect(findRom('esp32s3', 0)).toBeNull();
});

it('opens each ROM once, and names the one that cannot be read', async () => {
  const { dir } = await aFolderOfRoms();
  await writeFile(join(dir, 'esp32c6_rev0_rom.elf'), 'no ELF');
  const findRom = createRomLibrary(dir);

  expect(findRom('esp32c3', 3)).toBe(findRom('esp32c3', 3));
  expect(() => findRom('esp32c6', 0)).toThrow(UnreadableFirmware);
  expect(() => findRom('esp32c6', 0)).toThrow(/^esp32c6_rev0_rom\.elf: /);
});

it('says at once that there is no such folder', () => {
  expect(() => createRomLibrary(join(tmpdir(), 'no-such-folder-of-roms'))).toThrow(/ENOENT/);
});

/** Two builds of our fixtures stand in for ROM ELFs: what names them is their file name alone. */
async function aFolderOfRoms() {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-roms-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const [first, second] = [fixture('thermostat-1.0.0').elfPath, fixture('thermostat-1.1.0').elfPath];
  await copyFile(first, join(dir, 'esp32c3_rev3_rom.elf'));
  await copyFile(second, join(dir, 'esp32c3_rev101_rom.elf'));
  await writeFile(join(dir, 'README.md'), 'not a ROM');
  const shaOf = async (path: string) => openFirmware(await readFile(path)).sha256;
  return { dir, first: await shaOf(first), second: await shaOf(second) };
}
