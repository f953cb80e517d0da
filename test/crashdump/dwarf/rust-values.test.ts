import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFirmware } from '../../../src/crashdump/firmware/open-firmware.js';

/** What GDB said where the program stopped, and what it saw: test/fixtures/rust/build.sh. */
interface Stops {
  memory: Region[];
  stops: {
    function: string;
    pc: number;
    registers: Record<string, number>;
    arguments: [name: string, value: string][];
    stack: Region;
  }[];
}

interface Region {
  address: number;
  bytes: string;
}

const FIXTURE = new URL('../../fixtures/rust/', import.meta.url);
const { memory, stops }: Stops = JSON.parse(readFileSync(new URL('values.gdb.json', FIXTURE), 'utf8'));
const elf = readFileSync(new URL('values.elf', FIXTURE));
const firmware = openFirmware(elf);

/** GDB shows the structs that a `String` or `Vec` is made of, and has no word for a discriminant of no variant. */
const OUR_OWN: Record<string, string> = {
  'fw::owned a': '"owned"',
  'fw::owned b': '[1, 2, 3]',
  'fw::owned d': "[fw::Pair (1, 122 'z')]",
  'fw::owned e': '[1, 2]',
  'fw::options g': 'core::result::Result<u8, i32> {<unknown variant>}',
};

function frameAt(
  { pc, registers, stack }: Stops['stops'][number],
  image = firmware,
  regions: Region[] = [...memory, stack],
) {
  const [frame] = image.framesAt(pc, {
    pc,
    registers: new Map(Object.entries(registers).map(([number, value]) => [Number(number), value])),
    cfa: null,
    caller: null,
    readMemory(address, length) {
      for (const region of regions) {
        const offset = address - region.address;
        const bytes = Buffer.from(region.bytes, 'hex');
        if (offset >= 0 && offset + length <= bytes.length) return bytes.subarray(offset, offset + length);
      }
      return null;
    },
  });
  return frame;
}

describe('arguments of functions in Rust', () => {
  it.each(stops.map((stop) => [stop.function, stop] as const))(
    'of %s are as GDB prints them',
    (name, stop) => {
      const frame = frameAt(stop);

      expect(frame?.function).toBe(name);
      expect(frame?.arguments.map((argument) => [argument.name, argument.value])).toEqual(
        stop.arguments.map(([argument, value]) => [argument, OUR_OWN[`${name} ${argument}`] ?? value]),
      );
    },
  );

  it('say which memory is missing', () => {
    const texts = stops.find((stop) => stop.function === 'fw::texts');
    const frame = texts === undefined ? undefined : frameAt(texts, firmware, [texts.stack]);

    expect(frame?.arguments.find(({ name }) => name === 'a')?.value).toMatch(
      /^<error: Cannot access memory at address 0x[0-9a-f]{8}>$/,
    );
  });

  it('stay short whatever the lengths in memory say', () => {
    const owned = stops.find((stop) => stop.function === 'fw::owned');
    const stack = { address: owned?.stack.address ?? 0, bytes: 'f0ffffff'.repeat(256) };
    const everywhere = Array.from({ length: 8 }, (_, index) => ({
      address: 0xfffffff0 - index * 0x10000,
      bytes: '00',
    }));
    for (const stop of stops) {
      for (const { value } of frameAt(stop, firmware, [
        { ...stack, address: stop.stack.address },
        ...everywhere,
      ])?.arguments ?? []) {
        expect(value.length).toBeLessThan(1100);
      }
    }
  });

  it('are read or left out whatever bytes of the debug information are wrong', () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 40; round++) {
      const damaged = Uint8Array.from(elf);
      for (let count = 0; count < 20; count++)
        damaged[0x2000 + random(damaged.length - 0x4000)] = random(256);
      const image = openFirmware(damaged);
      for (const stop of stops) expect(() => frameAt(stop, image)).not.toThrow();
    }
  });
});
