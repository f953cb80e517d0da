import { describe, expect, it } from 'vitest';
import { createEventChannel } from '../../src/platform/event-channel.js';

describe('an event channel', () => {
  it('hands every event to every subscriber, in order', async () => {
    const channel = createEventChannel<number>();
    const subscribers = [channel.subscribe(() => true), channel.subscribe(() => true)];

    for (const event of [1, 2, 3]) channel.publish(event);

    for (const subscriber of subscribers) expect(await take(subscriber, 3)).toEqual([1, 2, 3]);
  });

  it('listens from the call on, before anybody takes an event', async () => {
    const channel = createEventChannel<number>();
    const subscriber = channel.subscribe(() => true);

    channel.publish(1);
    channel.publish(2);

    expect(await take(subscriber, 2)).toEqual([1, 2]);
  });

  it('wakes who waits, in the order in which they asked', async () => {
    const channel = createEventChannel<number>();
    const subscriber = channel.subscribe(() => true);
    const waiting = [subscriber.next(), subscriber.next()];

    channel.publish(1);
    channel.publish(2);

    expect(await Promise.all(waiting)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
    ]);
  });

  it('gives each only what it wants', async () => {
    const channel = createEventChannel<number>();
    const even = channel.subscribe((event) => event % 2 === 0);

    for (const event of [1, 2, 3, 4]) channel.publish(event);

    expect(await take(even, 2)).toEqual([2, 4]);
  });

  it('ends who falls too far behind, after what was kept for it, and nobody else', async () => {
    const channel = createEventChannel<number>();
    const slow = channel.subscribe(() => true);
    const quick = channel.subscribe(() => true);
    let taken = 0;

    for (let event = 0; event < 5_000; event++) {
      const next = quick.next();
      channel.publish(event);
      if (!(await next).done) taken += 1;
    }

    expect(taken).toBe(5_000);
    expect(channel.subscriberCount()).toBe(1);
    const kept: number[] = [];
    const follow = async () => {
      for await (const event of slow) kept.push(event);
    };
    await expect(follow()).rejects.toMatchObject({ code: 'BUSY' });
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(5_000);
  });

  it('forgets who returns, and lets go of what waits', async () => {
    const channel = createEventChannel<number>();
    const subscriber = channel.subscribe(() => true);
    const waiting = subscriber.next();

    await subscriber.return?.();
    channel.publish(1);

    expect(await waiting).toMatchObject({ done: true });
    expect(await subscriber.next()).toMatchObject({ done: true });
    expect(channel.subscriberCount()).toBe(0);
  });

  it('ends every subscription when it closes', async () => {
    const channel = createEventChannel<number>();
    const waiting = [1, 2, 3].map(() => channel.subscribe(() => true).next());

    channel.close();

    expect(await Promise.all(waiting)).toMatchObject([{ done: true }, { done: true }, { done: true }]);
    expect(channel.subscriberCount()).toBe(0);
  });
});

async function take<Event>(events: AsyncIterator<Event>, count: number): Promise<Event[]> {
  const taken: Event[] = [];
  while (taken.length < count) taken.push((await events.next()).value);
  return taken;
}
