import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually, stored } from '../support/app.js';
import { filesOf, rowCount } from '../support/stored-dumps.js';

describe('a retried upload', () => {
  it('answers the same bytes of the same device with the first dump', async () => {
    const app = await aServer();
    await aDevice(app);
    await aDevice(app, { key: 'dev2' });

    const first = await stored(app, 'same');
    const again = await stored(app, 'same');
    const other = await stored(app, 'same', { device: 'dev2' });

    expect(again).toEqual(first);
    expect(other.coredumpId).not.toBe(first.coredumpId);
    expect(await filesOf(app)).toHaveLength(2);
  });

  it('makes one row, one file and one id of 20 at once', async () => {
    const app = await aServer();
    await aDevice(app);

    const answers = await Promise.all(Array.from({ length: 20 }, () => stored(app, 'same')));

    expect(new Set(answers.map(({ coredumpId }) => coredumpId)).size).toBe(1);
    expect(new Set(answers.map(({ filename }) => filename)).size).toBe(1);
    await eventually(async () => (await filesOf(app)).length === 1, 'one file is left');
    expect(await rowCount(app)).toBe(1);
  });

  it('goes by the Idempotency-Key when there is one', async () => {
    const app = await aServer();
    await aDevice(app);
    const withKey = (body: string, key: string) => stored(app, body, { headers: { 'Idempotency-Key': key } });

    const first = await withKey('dump', 'boot-17');
    const retry = await withKey('dump, cut differently', 'boot-17');
    const next = await withKey('dump', 'boot-18');

    expect(retry).toEqual(first);
    expect(next.coredumpId).not.toBe(first.coredumpId);
  });

  it('still knows a dump after a restart', async () => {
    const app = await aServer();
    await aDevice(app);
    const first = await stored(app, 'same');

    const again = await stored(await app.restart(), 'same');

    expect(again).toEqual(first);
  });
});

describe('upload', () => {
  it('gives 50 dumps of one moment 50 names', async () => {
    const app = await aServer({ MAX_COREDUMPS: '100' });
    await aDevice(app);

    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => stored(app, `dump ${index}`)));

    expect(new Set(answers.map(({ filename }) => filename)).size).toBe(50);
    expect(await filesOf(app)).toHaveLength(50);
  });
});
