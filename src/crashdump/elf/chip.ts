/** Where each chip has its instruction RAM, for the chips that this tells apart from all others. */
const INSTRUCTION_RAM: readonly { chip: string; machine: 'xtensa' | 'riscv'; start: number; end: number }[] =
  [
    { chip: 'esp32', machine: 'xtensa', start: 0x40080000, end: 0x400a0000 },
    { chip: 'esp32s2', machine: 'xtensa', start: 0x40020000, end: 0x40072000 },
    { chip: 'esp32s3', machine: 'xtensa', start: 0x40370000, end: 0x403e0000 },
    { chip: 'esp32p4', machine: 'riscv', start: 0x4ff00000, end: 0x4ffc0000 },
  ];

/** By the addresses that the linker script gave; null where several chips have the same ones. */
export function chipOf(
  machine: 'xtensa' | 'riscv',
  sections: readonly { name: string; address: number; size: number }[],
): string | null {
  const ram = sections.find(({ name, size }) => name === '.iram0.text' && size > 0);
  if (ram === undefined) return null;
  const found = INSTRUCTION_RAM.find(
    (range) => range.machine === machine && ram.address >= range.start && ram.address < range.end,
  );
  return found?.chip ?? null;
}
