import { expect, it } from 'vitest';
import { eventually } from '../support/app.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { dashboardOperations } from './dashboard-operations.js';
import { aSizedFleet, LARGE, SMALL } from './fleet-of-two-sizes.js';
import { OPERATION_CASES } from './operation-cases.js';
import { aRelayProject } from './relay-project.js';
import { apolloClient, type Data, relayClient, relayModulesOf, urqlClient } from './three-clients.js';

const OPERATIONS = dashboardOperations();
const SUBSCRIPTIONS = OPERATIONS.filter(({ kind }) => kind === 'subscription');
const OTHERS = OPERATIONS.filter(({ kind }) => kind !== 'subscription');

async function threeClients(endpoint: { url: string; webSocketUrl: string }) {
  const project = await aRelayProject(relayModulesOf(OPERATIONS));
  return [relayClient(endpoint, project), apolloClient(endpoint), urqlClient(endpoint)];
}

it.each([
  ['small', SMALL],
  ['large', LARGE],
])(
  'the operations of a dashboard take the same few statements in a %s fleet, by any client',
  async (_, size) => {
    expect(excessOf(await statementsIn(size))).toEqual([]);
  },
);

/** What the other database and the background may add; a statement for each group, device or dump would be far more. */
const MARGIN = 4;

function excessOf(taken: Record<string, number>): string[] {
  return OTHERS.flatMap(({ name }) => {
    const [statements = 0, wanted = 0] = [taken[name], OPERATION_CASES[name]?.statements];
    return statements > wanted + MARGIN ? [`${name}: ${statements} statements instead of ${wanted}`] : [];
  });
}

/** The least of all clients, because work that an earlier operation left to the background may add its own. */
async function statementsIn(size: typeof SMALL): Promise<Record<string, number>> {
  const endpoint = await aGraphQLEndpoint({ maxCoredumps: 100_000 });
  const fleet = await aSizedFleet(endpoint, size);
  const clients = await threeClients(endpoint);
  await endpoint.alertSender.stop();
  const taken: Record<string, number> = {};
  let serial = 0;
  for (const operation of OTHERS) {
    const wanted = OPERATION_CASES[operation.name];
    if (wanted === undefined) throw new Error(`${operation.name} has no case`);
    const counts: number[] = [];
    for (const client of clients) {
      const variables = (await wanted.variables?.({ endpoint, fleet, serial: ++serial })) ?? {};
      await isQuiet(endpoint);
      let data: Data = {};
      const statements = await endpoint.statementsOf(async () => {
        data = await client.run(operation, variables);
      });
      expect(Object.values(data), `${operation.name} by ${client.name}`).not.toContain(null);
      counts.push(statements.length);
    }
    taken[operation.name] = Math.min(...counts);
  }
  return taken;
}

/** Waits for the end of what earlier operations left to the background. */
async function isQuiet(endpoint: GraphQLEndpoint): Promise<void> {
  await eventually(async () => {
    const statements = await endpoint.statementsOf(() => new Promise((resolve) => setTimeout(resolve, 30)));
    return statements.length === 0;
  }, 'a quiet database');
}

it('the live feed tells each client of a new dump', async () => {
  const endpoint = await aGraphQLEndpoint();
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  const clients = await threeClients(endpoint);
  const seen = clients.map((): Data[] => []);
  for (const operation of SUBSCRIPTIONS) {
    clients.forEach((client, index) => void client.follow(operation, {}, (data) => seen[index]?.push(data)));
  }
  await eventually(async () => seen.every((events) => JSON.stringify(events).includes('READY')), 'READY');

  const { dump } = await aCrash(endpoint, device);

  await eventually(
    async () => seen.every((events) => JSON.stringify(events).includes(dump.globalId)),
    'the dump',
  );
});
