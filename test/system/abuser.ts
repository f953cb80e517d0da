/**
 * A process of its own that abuses a server, so that it does not keep the one busy that takes the times. Its first
 * message says whom; `begin` and `pause` set it on and hold it back; `finish` ends it when each kind has had its turn.
 */
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ABUSES, COSTLY } from './abuses.js';

export type Order = { url: string; kinds: readonly string[] } | 'begin' | 'pause' | 'finish';
/** Statuses of what was sent, by kind, once it has been told to finish; before that, that the order was carried out. */
export type Report = 'done' | { statuses: Record<string, number[]> };

/** As many at a time as one machine would. */
const WORKERS = 2;
/** Without it this process and the server would share out the machine, and the honest client would measure that. */
const PAUSE_MS = 5;

/** It stands for another machine: what it does itself shall keep neither server nor honest client from a processor. */
setPriority(constants.priority.PRIORITY_LOW);

const statuses: Record<string, number[]> = {};
let url = '';
let kinds: readonly string[] = [];
let isOn = false;
let sent = 0;
let working: Promise<unknown> = Promise.resolve();

process.on('message', async (order: Order) => {
  switch (order) {
    case 'begin':
      isOn = true;
      working = Promise.all(Array.from({ length: WORKERS }, () => work(() => isOn)));
      return report('done');
    case 'pause':
      isOn = false;
      await working;
      return report('done');
    case 'finish':
      await work(() => sent < kinds.length);
      return report({ statuses });
    default:
      ({ url, kinds } = order);
      return report('done');
  }
});

async function work(goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    const kind = kinds[sent++ % kinds.length] ?? '';
    // A connection that the server broke off is one of the answers that an abuser gets.
    const status = await (
      (ABUSES.get(kind) ?? COSTLY.get(kind))?.(url) ?? Promise.reject(new Error(kind))
    ).catch(() => 0);
    statuses[kind] = [...(statuses[kind] ?? []), status];
    await sleep(PAUSE_MS);
  }
}

function report(what: Report): void {
  process.send?.(what);
}
