import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFirmwareCache } from '../../src/sidecar/firmware-cache.js';
import { aFirmwareElf } from '../support/firmware.js';
import { aTransferFolder } from './support.js';

describe('the firmware cache', () => {
  it('knows a firmware again by its bytes', async () => {
    const open = await aCache();
    const first = await open(aFirmwareElf({ version: '1.0.0' }));

    expect(await open(aFirmwareElf({ version: '1.0.0' }))).toBe(first);
    expect(await open(aFirmwareElf({ version: '1.0.1' }))).not.toBe(first);
  });

  it('forgets the firmware that was asked for longest ago when it is full', async () => {
    const elves = ['1', '2', '3'].map((version) => aFirmwareElf({ version }));
    const [one, two, three] = elves as [Buffer, Buffer, Buffer];
    const open = await aCache({ maxBytes: one.length + two.length });

    const second = await open(two);
    const first = await open(one);
    await open(three);

    expect(await open(one)).toBe(first);
    expect(await open(two)).not.toBe(second);
  });

  it('opens a firmware that is larger than all of it', async () => {
    const open = await aCache({ maxBytes: 1 });

    expect(await open(aFirmwareElf())).toMatchObject({ machine: 'riscv' });
  });

  it('hands back what is no firmware', async () => {
    const open = await aCache();

    expect(await open(Buffer.from('no ELF'))).toEqual(Buffer.from('no ELF'));
  });

  it('tells firmwares apart that differ in their last byte, however long they are', async () => {
    const open = await aCache();
    const long = Buffer.concat([aFirmwareElf(), Buffer.alloc(1_000_000)]);
    const other = Buffer.from(long);
    other.writeUInt8(1, other.length - 1);
    const first = await open(long);

    expect(await open(other)).not.toBe(first);
    expect(await open(long)).toBe(first);
  });
});

/** A cache that is asked as a worker asks: for a file that is new each time. */
async function aCache(options?: Parameters<typeof createFirmwareCache>[0]) {
  const open = createFirmwareCache(options);
  const { dir, put } = await aTransferFolder();
  let count = 0;
  return async (elf: Uint8Array) => {
    const name = `${count++}.elf`;
    await put(name, elf);
    const file = openSync(join(dir, name), 'r');
    try {
      return open(file);
    } finally {
      closeSync(file);
    }
  };
}
