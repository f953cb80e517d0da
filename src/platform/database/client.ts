/** Prisma's types and SQL builder. Both generated clients have the same ones, so all code imports them from here. */
export { Prisma } from './generated/sqlite/client.js';

/** Options for the client of either database. */
export const CLIENT_OPTIONS = {
  log: [{ emit: 'event' as const, level: 'query' as const }],
  // A transaction may wait for a connection behind a long queue of others: that is load, not a fault. Milliseconds.
  transactionOptions: { maxWait: 30_000, timeout: 30_000 },
};
