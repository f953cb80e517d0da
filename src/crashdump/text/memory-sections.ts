import type { Dump } from '../core/core.js';
import type { MemorySegment } from '../core/memory.js';
import type { FirmwareImage, FirmwareSection } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import { symbolText } from '../report/register-list.js';

/** The firmware's sections, each extended by the dumped segment that touches it; then the other segments. */
export function memoryRegions(dump: Dump, firmware: FirmwareImage | null): string[] {
  const sections = (firmware?.sections ?? []).filter(
    ({ kind, address }) => kind === 'progbits' && address !== 0,
  );
  const left = new Set(dump.memory.segments);
  const lines = sections.map((section) => {
    let { address: start, size } = section;
    for (const segment of left) {
      if (!touches(section, segment)) continue;
      const end = Math.max(start + size, segment.address + segment.bytes.length);
      start = Math.min(start, segment.address);
      size = end - start;
      left.delete(segment);
    }
    return `${section.name} ${plain(start)} ${plain(size)} ${sectionAttributes(section)}`;
  });
  return ['Name   Address   Size   Attrs', ...lines, ...[...left].map(segmentLine)];
}

/** Every dumped segment in words, as GDB's `x/NNx` prints it. */
export function memoryContents(dump: Dump, firmware: FirmwareImage | null): string[] {
  return dump.memory.segments.flatMap((segment) => [segmentLine(segment), ...wordLines(segment, firmware)]);
}

function wordLines({ address, bytes }: MemorySegment, firmware: FirmwareImage | null): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  for (let offset = 0; offset + 4 <= bytes.length; offset += 16) {
    const words: string[] = [];
    for (let at = offset; at + 4 <= Math.min(offset + 16, bytes.length); at += 4)
      words.push(hex32(view.getUint32(at, true)));
    const symbol = symbolText(firmware, address + offset);
    lines.push(`${plain(address + offset)}${symbol === null ? '' : ` <${symbol}>`}:\t${words.join('\t')}`);
  }
  return lines;
}

function touches({ address, size }: FirmwareSection, segment: MemorySegment): boolean {
  return segment.address <= address + size && address <= segment.address + segment.bytes.length;
}

/** Executable segments are code of the ROM, all others are memory of tasks. */
function segmentLine({ address, bytes, executable }: MemorySegment): string {
  const name = executable ? '.coredump.rom.text' : '.coredump.tasks.data';
  return `${name} ${plain(address)} ${plain(bytes.length)} RW${executable ? 'E' : ' '}`;
}

function sectionAttributes({ flags }: FirmwareSection): string {
  if (flags.processorSpecific) return 'MS';
  return `R${flags.write ? 'W' : ' '}${flags.exec ? 'X' : ' '}${flags.alloc ? 'A' : ' '}`;
}

function plain(value: number): string {
  return `0x${value.toString(16)}`;
}
