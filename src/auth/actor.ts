import { AsyncLocalStorage } from 'node:async_hooks';
import type { Person } from './principal.js';
import type { HeldSession } from './session-lookup.js';

/** The person for whom the server works now, with address and request id. */
export interface Actor {
  readonly person: Person;
  /** Empty when the connection is already closed. */
  readonly address: string;
  readonly requestId: string;
  /** The session of an open connection that was admitted by its cookie. */
  readonly session?: HeldSession | undefined;
  /** Number of audit events per action that this request has written. */
  readonly audited: Map<string, number>;
}

/**
 * Async context instead of a parameter: audited changes are many calls below the transport that knows the person. One
 * call that forgot to pass it on would leave a gap in the audit.
 */
const actors = new AsyncLocalStorage<Actor>();

export function runAs<T>(actor: Omit<Actor, 'audited'>, work: () => T): T {
  return actors.run({ ...actor, audited: new Map() }, work);
}

/** Continues the same request in a later event. */
export function resumeAs<T>(actor: Actor, work: () => T): T {
  return actors.run(actor, work);
}

/** Null for background work of the server. */
export function currentActor(): Actor | null {
  return actors.getStore() ?? null;
}
