import { describe, expect, it } from 'vitest';
import { createFirmwareCache } from '../../src/sidecar/firmware-cache.js';
import { aFirmwareElf } from '../support/firmware.js';

describe('the firmware cache', () => {
  it('knows a firmware again by its bytes', () => {
    const open = createFirmwareCache();
    const first = open(aFirmwareElf({ version: '1.0.0' }));

    expect(open(aFirmwareElf({ version: '1.0.0' }))).toBe(first);
    expect(open(aFirmwareElf({ version: '1.0.1' }))).not.toBe(first);
  });

  it('forgets the firmware that was asked for longest ago when it is full', () => {
    const elves = ['1', '2', '3'].map((version) => aFirmwareElf({ version }));
    const [one, two, three] = elves as [Buffer, Buffer, Buffer];
    const open = createFirmwareCache({ maxBytes: one.length + two.length });

    const second = open(two);
    const first = open(one);
    open(three);

    expect(open(one)).toBe(first);
    expect(open(two)).not.toBe(second);
  });

  it('opens a firmware that is larger than all of it', () => {
    const open = createFirmwareCache({ maxBytes: 1 });

    expect(open(aFirmwareElf())).toMatchObject({ machine: 'riscv' });
  });

  it('hands back what is no firmware', () => {
    const open = createFirmwareCache();
    const garbage = Buffer.from('no ELF');

    expect(open(garbage)).toBe(garbage);
  });
});
