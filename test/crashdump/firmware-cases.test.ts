import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFirmware } from '../../src/crashdump/index.js';
import { findCaseFile, missingFiles } from '../support/real-cases.js';

describe('firmware of real devices', () => {
  const image = (name: string) => openFirmware(readFileSync(findCaseFile(name, 'firmware.elf') ?? name));
  const at = (name: string, pc: number) =>
    image(name)
      .framesAt(pc)
      .map((frame) => `${frame.function} ${frame.file?.split('/').at(-1)}:${frame.line}`);

  const named: [string, number, string[]][] = [
    ['esp32c3-elf-head', 0x4038368d, ['esp_system_abort esp_system_chip.c:93']],
    ['esp32c3-elf-head', 0x403856f1, ['ulTaskGenericNotifyTake tasks.c:5659']],
    [
      'esp32-elf-head',
      0x40085c39,
      ['vPortClearInterruptMaskFromISR portmacro.h:564', 'vPortExitCritical port.c:504'],
    ],
    ['esp32s3-bin-head', 0x4200968d, ['app_main test_core_dump.c:51']],
    ['esp32-bin-idf-v3.3', 0x400e225b, ['recur_func test_core_dump.c:63']],
  ];
  for (const [name, pc, frames] of named) {
    const missing = missingFiles(name, ['firmware.elf']);
    it.skipIf(missing !== '')(`${name}: GDB named ${pc} like that${missing}`, () => {
      expect(at(name, pc)).toEqual(frames);
    });
  }

  // The oldest one was built with a configuration that has a member more.
  const stackMembers: [string, number][] = [
    ['esp32c3-elf-head', 48],
    ['esp32-elf-head', 48],
    ['esp32s3-bin-head', 48],
    ['esp32-bin-idf-v3.3', 52],
  ];
  for (const [name, stackMember] of stackMembers) {
    const missing = missingFiles(name, ['firmware.elf']);
    it.skipIf(missing !== '')(`${name} is read from end to end without a note${missing}`, () => {
      const firmware = image(name);

      for (const { address, size, flags } of firmware.sections) {
        for (let pc = address; flags.exec && pc < address + size; pc += 64) firmware.framesAt(pc);
      }

      expect(firmware.notes()).toEqual([]);
      expect(firmware.structMember('tskTaskControlBlock', 'pxStack')).toEqual({
        offset: stackMember,
        size: 4,
      });
      expect(firmware.structMember('tskTaskControlBlock', 'pcTaskName')).toEqual({
        offset: stackMember + 4,
        size: 16,
      });
    });
  }
});
