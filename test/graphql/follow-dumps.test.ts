import { describe, expect, it } from 'vitest';
import { createCoredumpEvents } from '../../src/coredumps/events.js';
import type { CoredumpRow } from '../../src/coredumps/types.js';
import { followDumps } from '../../src/graphql/schema/follow-dumps.js';

describe('following a dump', () => {
  it('never misses a change that comes while the current state is read', async () => {
    const events = createCoredumpEvents();
    const coredumps = {
      events,
      async get() {
        const read = aDump({ parseStatus: 'PENDING' });
        events.publish(aDump({ parseStatus: 'PARSED' }));
        return read;
      },
    };

    const followed = await followDumps({ changes, coredumps }, { coredumpId: 1 });

    expect(await followed.next()).toMatchObject({ value: { parseStatus: 'PENDING' } });
    expect(await followed.next()).toMatchObject({ value: { parseStatus: 'PARSED' } });
  });

  it.each([
    ['there is no such dump', async () => null],
    ['the dump is another device’s', async () => aDump({ deviceId: 2 })],
    ['the database fails', () => Promise.reject(new Error('down'))],
  ])('leaves nobody listening when %s', async (_, get) => {
    const events = createCoredumpEvents();

    await expect(
      followDumps({ changes, coredumps: { events, get } }, { coredumpId: 1, deviceId: 1 }),
    ).rejects.toThrow();

    expect(events.subscriberCount()).toBe(0);
  });

  it('ends also when nobody took the first state', async () => {
    const events = createCoredumpEvents();
    const followed = await followDumps(
      { changes, coredumps: { events, get: async () => aDump() } },
      { coredumpId: 1 },
    );

    await followed.return?.();

    expect(events.subscriberCount()).toBe(0);
    expect(await followed.next()).toMatchObject({ done: true });
  });
});

/** Without deletions. */
const changes = { untilDeleted: <Item>(_: string, __: number, open: () => Promise<Item>) => open() };

function aDump(columns: Partial<CoredumpRow> = {}): CoredumpRow {
  return {
    id: 1,
    deviceId: 1,
    firmwareId: null,
    chosenFirmwareId: null,
    kind: 'CORE_DUMP',
    filename: 'a.dmp',
    chip: 'esp32',
    firmwareVersion: '1.0.0',
    crashVersion: '1.0.0',
    size: 1,
    sha256: '',
    parseStatus: 'PENDING',
    parseErrorKind: null,
    parseAttempts: 0,
    parseGeneration: 0,
    appElfSha256: null,
    dumpChip: null,
    fingerprint: null,
    crashKind: null,
    crashedTask: null,
    reason: null,
    uploadedAt: new Date(0),
    updatedAt: null,
    parsedAt: null,
    ...columns,
  };
}
