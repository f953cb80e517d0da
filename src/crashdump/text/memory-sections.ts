import type { Dump } from '../core/core.js';
import type { MemorySegment } from '../core/memory.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import { allRegions, type Region, segmentRegion } from '../report/memory-regions.js';
import { symbolText } from '../report/register-list.js';

/** The list of the dump's and the firmware's memory. */
export function memoryRegions(dump: Dump, firmware: FirmwareImage | null): string[] {
  return ['Name   Address   Size   Attrs', ...allRegions(dump, firmware).map(regionLine)];
}

/** Every dumped segment in words, as GDB's `x/NNx` prints it. */
export function memoryContents(dump: Dump, firmware: FirmwareImage | null): string[] {
  return dump.memory.segments.flatMap((segment) => [
    regionLine(segmentRegion(segment)),
    ...wordLines(segment, firmware),
  ]);
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

function regionLine({ name, address, size, attributes }: Region): string {
  return `${name} ${plain(address)} ${plain(size)} ${attributes}`;
}

function plain(value: number): string {
  return `0x${value.toString(16)}`;
}
