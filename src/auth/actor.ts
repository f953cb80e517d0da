import { AsyncLocalStorage } from 'node:async_hooks';
import type { Person } from './principal.js';

/** The person on whose behalf the server works now, with address and request id. */
export interface Actor {
  readonly person: Person;
  /** Empty when the connection is closed already. */
  readonly address: string;
  readonly requestId: string;
  /** How many audit events of each action this request has made. */
  readonly audited: Map<string, number>;
}

/**
 * Async context instead of a parameter: audited changes are many calls below the transport that knows the person, and one
 * call that forgot to pass it on would leave a gap in the audit.
 */
const actors = new AsyncLocalStorage<Actor>();

export function runAs<T>(actor: Omit<Actor, 'audited'>, work: () => T): T {
  return actors.run({ ...actor, audited: new Map() }, work);
}

/** Runs more work of the same request, at a later event. */
export function resumeAs<T>(actor: Actor, work: () => T): T {
  return actors.run(actor, work);
}

/** Null for work that the server does by itself. */
export function currentActor(): Actor | null {
  return actors.getStore() ?? null;
}
