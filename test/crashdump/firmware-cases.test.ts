import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFirmware } from '../../src/crashdump/index.js';

const CASES = process.env.COREDUMP_CASES ?? join(import.meta.dirname, '../../../cases');
const isMissing = !existsSync(join(CASES, 'esp32c3-elf-head/firmware.elf'));
const suite = isMissing
  ? 'firmware of real devices (skipped: no cases in $COREDUMP_CASES or ../cases)'
  : 'firmware of real devices';

describe.skipIf(isMissing)(suite, () => {
  const image = (name: string) => openFirmware(readFileSync(join(CASES, name, 'firmware.elf')));
  const at = (name: string, pc: number) =>
    image(name)
      .framesAt(pc)
      .map((frame) => `${frame.function} ${frame.file?.split('/').at(-1)}:${frame.line}`);

  it.each([
    ['esp32c3-elf-head', 0x4038368d, ['esp_system_abort esp_system_chip.c:93']],
    ['esp32c3-elf-head', 0x403856f1, ['ulTaskGenericNotifyTake tasks.c:5659']],
    [
      'esp32-elf-head',
      0x40085c39,
      ['vPortClearInterruptMaskFromISR portmacro.h:564', 'vPortExitCritical port.c:504'],
    ],
    ['esp32s3-bin-head', 0x4200968d, ['app_main test_core_dump.c:51']],
    ['esp32-bin-idf-v3.3', 0x400e225b, ['recur_func test_core_dump.c:63']],
  ])('%s: GDB named %i like that', (name, pc, frames) => {
    expect(at(name, pc)).toEqual(frames);
  });

  // The oldest one was built with a configuration that has a member more.
  it.each([
    ['esp32c3-elf-head', 48],
    ['esp32-elf-head', 48],
    ['esp32s3-bin-head', 48],
    ['esp32-bin-idf-v3.3', 52],
  ])('%s is read from end to end without a note', (name, stackMember) => {
    const firmware = image(name);

    for (const { address, size, flags } of firmware.sections) {
      for (let pc = address; flags.exec && pc < address + size; pc += 64) firmware.framesAt(pc);
    }

    expect(firmware.notes()).toEqual([]);
    expect(firmware.structMember('tskTaskControlBlock', 'pxStack')).toEqual({ offset: stackMember, size: 4 });
    expect(firmware.structMember('tskTaskControlBlock', 'pcTaskName')).toEqual({
      offset: stackMember + 4,
      size: 16,
    });
  });
});
