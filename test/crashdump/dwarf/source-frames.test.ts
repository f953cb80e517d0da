import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SourceFrame } from '../../../src/crashdump/firmware/firmware-image.js';
import { openFirmware } from '../../../src/crashdump/firmware/open-firmware.js';

const FIXTURES = new URL('../../fixtures/dwarf/', import.meta.url);
const ELFS = [
  ...['dwarf2', 'dwarf3', 'dwarf4', 'dwarf4-strict', 'dwarf4-zdebug', 'dwarf5', 'dwarf5-compressed'],
  ...['dwarf3-64', 'dwarf4-64', 'dwarf5-64'],
];

/** What GDB says of the addresses at which its answer changes; see test/fixtures/dwarf/oracle.py. */
interface Place {
  address: number;
  file: string | null;
  line: number;
  rowStart: number;
  functions: string[];
  calls: [string, number][];
}

const places: Place[] = JSON.parse(readFileSync(new URL('places.gdb.json', FIXTURES), 'utf8'));
const image = (name: string) => openFirmware(readFileSync(new URL(`${name}.elf`, FIXTURES)));

function asGdbPutsIt(frames: readonly SourceFrame[]) {
  return {
    file: frames[0]?.file ?? null,
    line: frames[0]?.line ?? 0,
    functions: frames.map((frame) => frame.function),
    calls: frames.slice(1).map((frame) => [frame.file, frame.line]),
  };
}

describe.each(ELFS)('functions, files and lines of %s.elf', (name) => {
  it('are those that GDB names, through everything that was inlined', () => {
    const firmware = image(name);

    const answers = places.map(({ address }) => ({ address, ...asGdbPutsIt(firmware.framesAt(address)) }));

    expect(answers).toEqual(places.map(({ rowStart, ...place }) => place));
    expect(firmware.notes()).toEqual([]);
  });
});

describe('frames', () => {
  const firmware = image('dwarf5');

  it('say which of them were inlined', () => {
    const inlined = places.find(({ functions }) => functions.length === 3);

    const frames = firmware.framesAt(inlined?.address ?? 0);

    expect(frames.map((frame) => [frame.function, frame.inlined])).toEqual([
      ['half', true],
      ['quarter', true],
      ['clamp', false],
    ]);
  });

  it('know where a line begins, but not for a return address that follows it', () => {
    const clamp = firmware.symbol('clamp')?.address ?? 0;
    const context = { registers: new Map(), cfa: null, caller: null, readMemory: () => null };

    expect(firmware.framesAt(clamp)[0]?.atLineStart).toBe(true);
    expect(firmware.framesAt(clamp, { ...context, pc: clamp + 2 })[0]?.atLineStart).toBe(false);
  });

  it('are empty where there is no code', () => {
    expect(firmware.framesAt(0x10)).toEqual([]);
    expect(firmware.framesAt(0xfffffffe)).toEqual([]);
  });
});

describe('tail calls', () => {
  it.each(['dwarf4', 'dwarf5'])(
    'are found between a caller and the function that was jumped to: %s',
    (name) => {
      const firmware = image(name);
      const outer = firmware.symbol('outer');
      const clamp = firmware.symbol('clamp');
      const returnAddress = callReturns(firmware, outer?.address ?? 0, outer?.size ?? 0);

      const [jump, ...more] = firmware.tailCallsBetween(clamp?.address ?? 0, returnAddress);

      expect(more).toEqual([]);
      expect(firmware.framesAt((jump ?? 0) - 1)[0]?.function).toBe('scale');
    },
  );

  it('are none where the call was an ordinary one', () => {
    const firmware = image('dwarf5');
    const outer = firmware.symbol('outer');
    const scale = firmware.symbol('scale');
    const returnAddress = callReturns(firmware, outer?.address ?? 0, outer?.size ?? 0);

    expect(firmware.tailCallsBetween(scale?.address ?? 0, returnAddress)).toEqual([]);
  });
});

/** The address behind the first `c.jal` (RV32C) in a function. */
function callReturns(firmware: ReturnType<typeof image>, address: number, size: number): number {
  const code = firmware.readAt(address, size) ?? new Uint8Array(0);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  for (let offset = 0; offset + 2 <= size; offset += 2) {
    if ((view.getUint16(offset, true) & 0xe003) === 0x2001) return address + offset + 2;
  }
  throw new Error('the fixture has no call there');
}

describe('structs', () => {
  it.each(ELFS)('tell where their members are, also the nested and the anonymous ones: %s', (name) => {
    const firmware = image(name);

    expect(firmware.structMember('point', 'z')).toEqual({ offset: 8, size: 4 });
    expect(firmware.structMember('point', 'bytes')).toEqual({ offset: 12, size: 4 });
    expect(firmware.structMember('point_t', 'tag.name')).toEqual({ offset: 18, size: 16 });
    expect(firmware.structMember('point', 'nothing')).toBeNull();
    expect(firmware.structMember('nobody', 'x')).toBeNull();
  });
});
