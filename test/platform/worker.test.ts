import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLease } from '../../src/platform/background/lease.js';
import { createWorker } from '../../src/platform/background/worker.js';

/** A worker whose looks wait until they are told to go on. */
function aWorker(everyMs = 60_000) {
  const looks: Array<{ end: () => void; fail: (error: Error) => void; stop: AbortSignal }> = [];
  const logged: string[] = [];
  const worker = createWorker({
    name: 'counting sheep',
    everyMs,
    look: (stop) =>
      new Promise<void>((resolve, reject) => {
        looks.push({ end: resolve, fail: reject, stop });
      }),
    log: { error: (_: object, message?: string) => void logged.push(message ?? '') },
  });
  return { worker, looks, logged };
}

const settled = () => vi.advanceTimersByTimeAsync(0);

describe('a worker', () => {
  it('looks once more when it was woken while it looked, however often', async () => {
    const { worker, looks } = aWorker();
    worker.wake();
    worker.wake();
    worker.wake();
    expect(looks).toHaveLength(1);

    looks[0]?.end();
    await vi.waitFor(() => expect(looks).toHaveLength(2));
    looks[1]?.end();
    await worker.idle();

    expect(looks).toHaveLength(2);
    await worker.stop();
  });

  it('looks again after its pause, which doubles with each failure in a row', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { worker, looks, logged } = aWorker(1_000);
    worker.start();

    const pauses: number[] = [];
    for (let failures = 1; failures <= 5; failures += 1) {
      looks.at(-1)?.fail(new Error('no'));
      await settled();
      const before = looks.length;
      let waited = 0;
      for (; looks.length === before; waited += 500) await vi.advanceTimersByTimeAsync(500);
      pauses.push(waited);
    }
    looks.at(-1)?.end();
    await settled();
    await vi.advanceTimersByTimeAsync(1_000);

    expect(pauses).toEqual([2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(looks).toHaveLength(7);
    expect(logged).toEqual(['counting sheep failed; it is tried again']);
  });

  it('is at work at once when it is woken in such a pause', async () => {
    const { worker, looks } = aWorker();
    worker.start();
    looks[0]?.fail(new Error('no'));
    await worker.idle();

    worker.wake();

    expect(looks).toHaveLength(2);
    looks[1]?.end();
    await worker.stop();
  });

  it('tells its look to stop, waits for it, and begins no other', async () => {
    const { worker, looks } = aWorker();
    worker.start();
    let hasStopped = false;

    const stopping = worker.stop().then(() => {
      hasStopped = true;
    });
    worker.wake();
    await Promise.resolve();

    expect(looks[0]?.stop.aborted).toBe(true);
    expect(hasStopped).toBe(false);
    looks[0]?.end();
    await stopping;
    worker.wake();
    expect(looks).toHaveLength(1);
  });
});

describe('a lease', () => {
  it('begins and ends by the clock that it is given', async () => {
    const lease = createLease({ now: async () => new Date('2026-01-01T00:00:00Z'), lastsMs: 60_000 });

    expect(await lease.term()).toEqual({
      at: new Date('2026-01-01T00:00:00Z'),
      until: new Date('2026-01-01T00:01:00Z'),
    });
    expect((await lease.term(0)).until).toEqual(new Date('2026-01-01T00:00:00Z'));
  });
});
