import { describe, expect, it } from 'vitest';
import { aDevice, aServer, type TestApp, upload } from '../support/app.js';

interface Crashes {
  crashCount: number;
  lastCrashAt: string | null;
  lastCoredump: { uploadedAt: string } | null;
}

describe('the crashes of a device', () => {
  it('are none at first', async () => {
    const app = await aServer();
    await aDevice(app);

    expect(await crashesOf(app)).toEqual({ crashCount: 0, lastCrashAt: null, lastCoredump: null });
  });

  it('are counted with each upload, once for a dump that is sent again', async () => {
    const app = await aServer();
    await aDevice(app);

    await upload(app, 'first');
    await upload(app, 'second');
    const { lastCrashAt } = await crashesOf(app);
    await upload(app, 'second');

    const now = await crashesOf(app);
    expect(now).toMatchObject({ crashCount: 2, lastCrashAt });
    expect(now.lastCoredump?.uploadedAt).toBe(lastCrashAt);
  });

  it('are counted when many arrive at once, each once', async () => {
    const app = await aServer({ MAX_COREDUMPS: '100' });
    await aDevice(app);

    await Promise.all(Array.from({ length: 30 }, (_, index) => upload(app, `dump ${index % 20}`)));

    const now = await crashesOf(app);
    expect(now.crashCount).toBe(20);
    expect(now.lastCoredump?.uploadedAt).toBe(now.lastCrashAt);
  });

  it('stay counted when dumps are retired or deleted', async () => {
    const app = await aServer({ MAX_COREDUMPS: '2' });
    await aDevice(app);
    for (let i = 0; i < 4; i++) await upload(app, `dump ${i}`);
    const before = await crashesOf(app);

    await app.graphql('mutation ($id: ID!) { deleteCoredumps(input: { deviceId: $id }) { count } }', {
      id: (await app.graphql<{ device: { id: string } }>('{ device(key: "dev1") { id } }')).device.id,
    });

    expect(before.crashCount).toBe(4);
    expect(await crashesOf(app)).toEqual({ ...before, lastCoredump: null });
  });
});

async function crashesOf(app: TestApp): Promise<Crashes> {
  const { device } = await app.graphql<{ device: Crashes }>(
    '{ device(key: "dev1") { crashCount lastCrashAt lastCoredump { uploadedAt } } }',
  );
  return device;
}
