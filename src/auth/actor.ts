import { AsyncLocalStorage } from 'node:async_hooks';
import type { Person } from './principal.js';

/** Who makes the server do something now, from where, and under which request id. */
export interface Actor {
  readonly person: Person;
  /** Empty when the connection has gone already. */
  readonly address: string;
  readonly requestId: string;
  /** How often each action of this request was noted by the audit. */
  readonly audited: Map<string, number>;
}

/**
 * Carried along rather than handed down: what is audited lies many calls below the transport that knows who asks, and a
 * call in between that forgot to pass it on would leave a hole in the audit.
 */
const actors = new AsyncLocalStorage<Actor>();

export function runAs<T>(actor: Omit<Actor, 'audited'>, work: () => T): T {
  return actors.run({ ...actor, audited: new Map() }, work);
}

/** Runs more work of the same request, on an event of another time. */
export function resumeAs<T>(actor: Actor, work: () => T): T {
  return actors.run(actor, work);
}

/** Null when nobody asked: the server does it by itself. */
export function currentActor(): Actor | null {
  return actors.getStore() ?? null;
}
