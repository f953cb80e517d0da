import type { Dump } from '../core/core.js';
import type { MemorySegment } from '../core/memory.js';
import type { FirmwareImage, FirmwareSection } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import { MAX_MEMORY_REGIONS } from '../limits.js';
import type { MemoryRegion } from '../report.js';

export interface Region extends Omit<MemoryRegion, 'address'> {
  address: number;
}

/** The firmware's sections, each extended by the dumped segments that touch it; then the other segments. */
export function allRegions(dump: Dump, firmware: FirmwareImage | null): Region[] {
  const sections = (firmware?.sections ?? []).filter(
    ({ kind, address }) => kind === 'progbits' && address !== 0,
  );
  const left = new Set(dump.memory.segments);
  const extended = sections.map((section): Region => {
    let { address: start, size } = section;
    for (const segment of left) {
      if (!touches(section, segment)) continue;
      const end = Math.max(start + size, segment.address + segment.bytes.length);
      start = Math.min(start, segment.address);
      size = end - start;
      left.delete(segment);
    }
    return {
      name: section.name,
      address: start,
      size,
      attributes: sectionAttributes(section),
      source: 'firmware',
    };
  });
  return [...extended, ...[...left].map(segmentRegion)];
}

/** Executable segments are code of the ROM, all others are memory of tasks. */
export function segmentRegion({ address, bytes, executable }: MemorySegment): Region {
  return {
    name: executable ? '.coredump.rom.text' : '.coredump.tasks.data',
    address,
    size: bytes.length,
    attributes: executable ? 'RWE' : 'RW ',
    source: 'dump',
  };
}

/** The same for the report: dumped segments that touch each other are one region, and the list has a limit. */
export function reportedRegions(
  dump: Dump,
  firmware: FirmwareImage | null,
): { memoryRegions: MemoryRegion[]; memoryRegionCount: number } {
  const regions = allRegions(dump, firmware);
  const all = [
    ...regions.filter(({ source }) => source === 'firmware'),
    ...joined(regions.filter(({ source }) => source === 'dump')),
  ];
  return {
    memoryRegions: all.slice(0, MAX_MEMORY_REGIONS).map((region) => ({
      ...region,
      address: hex32(region.address),
      attributes: region.attributes.trimEnd(),
    })),
    memoryRegionCount: all.length,
  };
}

/** By address. */
function joined(regions: readonly Region[]): Region[] {
  const all: Region[] = [];
  for (const region of regions.toSorted((a, b) => a.address - b.address)) {
    const before = all.at(-1);
    if (before?.name === region.name && region.address <= before.address + before.size) {
      before.size = Math.max(before.size, region.address + region.size - before.address);
    } else all.push({ ...region });
  }
  return all;
}

function touches({ address, size }: FirmwareSection, segment: MemorySegment): boolean {
  return segment.address <= address + size && address <= segment.address + segment.bytes.length;
}

function sectionAttributes({ flags }: FirmwareSection): string {
  if (flags.processorSpecific) return 'MS';
  return `R${flags.write ? 'W' : ' '}${flags.exec ? 'X' : ' '}${flags.alloc ? 'A' : ' '}`;
}
