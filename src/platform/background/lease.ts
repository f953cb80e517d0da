/** When a lease that is taken or renewed now begins and ends, by the clock of the database. */
export interface Term {
  readonly at: Date;
  readonly until: Date;
}

/**
 * How several servers share work that stands in rows: who takes a row up writes until when it holds it, and nobody else
 * takes it up before that. A server that dies keeps its rows no longer.
 *
 * All terms are of the database's clock: a server whose own is ahead would take rows out of the hands of others.
 */
export interface Lease {
  /** @param lastsMs where it lasts otherwise than usually. @throws DomainError UNAVAILABLE */
  term(lastsMs?: number): Promise<Term>;
}

export function createLease({ now, lastsMs }: { now: () => Promise<Date>; lastsMs: number }): Lease {
  return {
    async term(ms = lastsMs) {
      const at = await now();
      return { at, until: new Date(at.getTime() + ms) };
    },
  };
}

/** Columns of a row that nobody holds. */
export const RELEASED = { leaseOwner: null, leaseUntil: null };

/** Rows that anybody may take up: nobody holds them, or the lease has expired. For `OR` in a query. */
export function availableAt(at: Date) {
  return [{ leaseOwner: null }, { leaseUntil: { lt: at } }];
}
