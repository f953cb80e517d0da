import fc from 'fast-check';
import { expect, it } from 'vitest';
import { aSteppedFleet, crashStep, takeStep } from '../support/crash-steps.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';
import { keepDeleted } from '../support/recount-sql.js';

/** Few, so that retention takes dumps that nobody has read, and such as are being read. */
const MAX_COREDUMPS = 4;

it('counters are what a recount gives after any interleaving, on as many servers as the database allows', async () => {
  const first = await aGraphQLEndpoint({ maxCoredumps: MAX_COREDUMPS });
  const isShared = !first.databaseUrl.startsWith('file:');
  const endpoints = isShared
    ? [first, await aGraphQLEndpoint({ maxCoredumps: MAX_COREDUMPS, beside: first })]
    : [first];
  await keepDeleted(first.databaseUrl);
  const fleet = await aSteppedFleet(first);

  await fc.assert(
    fc.asyncProperty(fc.array(crashStep, { minLength: 20, maxLength: 40 }), async (steps) => {
      await Promise.all(
        steps.map((step, index) => takeStep(endpoints[index % endpoints.length] ?? first, fleet, step)),
      );

      expect(await recount(first.databaseUrl)).toEqual([]);
    }),
    // What one run leaves the next one begins with, so a shorter list of steps would not fail the same way.
    { numRuns: 8, endOnFailure: true },
  );
});
