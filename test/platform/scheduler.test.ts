import { expect, it } from 'vitest';
import { createScheduler } from '../../src/platform/background/scheduler.js';

/** Work that runs until it is told to end. */
function someWork() {
  let end = () => {};
  let fail = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = () => reject(new Error('the database is closed'));
  });
  return { work: () => promise, end, fail };
}

function aScheduler() {
  const warnings: unknown[] = [];
  const warn = (_: object, message: string) => void warnings.push(message);
  return { scheduler: createScheduler({ warn } as never), warnings };
}

it('waits for what runs, and starts nothing after a stop', async () => {
  const { scheduler } = aScheduler();
  const running = someWork();
  let isIdle = false;
  void scheduler.now('failed', running.work);
  scheduler.stop();
  let hasStarted = false;
  await scheduler.now('failed', async () => {
    hasStarted = true;
  });

  const idle = scheduler.idle().then(() => {
    isIdle = true;
  });
  await new Promise(setImmediate);
  expect(isIdle).toBe(false);
  running.end();
  await idle;

  expect(hasStarted).toBe(false);
});

it('tells of a failure, but not of one that a stop has caused', async () => {
  const { scheduler, warnings } = aScheduler();
  await scheduler.now('the storage could not be swept', () => Promise.reject(new Error('no')));
  const running = someWork();
  void scheduler.now('old dumps could not be removed', running.work);

  scheduler.stop();
  running.fail();
  await scheduler.idle();

  expect(warnings).toEqual(['the storage could not be swept']);
});
