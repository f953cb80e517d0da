/** Start and end of a lease that is taken or renewed now, by the clock of the database. */
export interface Term {
  readonly at: Date;
  readonly until: Date;
}

/**
 * How several servers share work that is stored in rows. A server that takes a row writes into it until when it holds
 * the row; no other server takes it before that time. The rows of a dead server become available when their leases
 * expire.
 *
 * All times are from the database's clock: a server whose own clock is ahead would take rows that others still hold.
 */
export interface Lease {
  /** @param lastsMs duration in milliseconds, if not the usual one. @throws DomainError UNAVAILABLE */
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

/** Values of the lease columns of a row that no server holds. */
export const RELEASED = { leaseOwner: null, leaseUntil: null };

/** Condition for rows that may be taken: not held, or with an expired lease. For `OR` in a query. */
export function availableAt(at: Date) {
  return [{ leaseOwner: null }, { leaseUntil: { lt: at } }];
}
