import pg from 'pg';
import { expect, it } from 'vitest';
import { eventually } from '../support/app.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';

type Endpoint = Awaited<ReturnType<typeof aGraphQLEndpoint>>;

/** Everything that looks a dump up together with its device; each by the id of the dump. */
const LOOKUPS: Array<[string, (endpoint: Endpoint, id: number) => Promise<unknown>, unknown]> = [
  ['the parse queue has no task', ({ state }, id) => state.tasksOf([id]), []],
  ['a deletion is NOT_FOUND', ({ coredumps }, id) => coredumps.delete(id).catch(codeOf), 'NOT_FOUND'],
  ['a download is NOT_FOUND', ({ coredumps }, id) => coredumps.open(id, 'admin').catch(codeOf), 'NOT_FOUND'],
];

it.each(LOOKUPS)(
  'a device that is deleted between two statements of a lookup: %s',
  async (_, lookUp, result) => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const { id } = await endpoint.fleet.aDump(device, { parseStatus: 'PENDING' });
    const client = new pg.Client(endpoint.databaseUrl);
    await client.connect();
    try {
      await client.query('BEGIN');
      // The dump can be read, and its device only once this transaction has ended.
      await client.query('LOCK TABLE "Device" IN ACCESS EXCLUSIVE MODE');
      const lookedUp = lookUp(endpoint, id);
      await eventually(async () => {
        const { rows } = await client.query(`SELECT 1 FROM pg_locks JOIN pg_database d ON d."oid" = "database"
        WHERE d."datname" = current_database() AND NOT granted`);
        return rows.length > 0;
      }, 'the lookup waits for the device');
      await client.query('DELETE FROM "Device" WHERE "id" = $1', [device.id]);
      await client.query('COMMIT');

      expect(await lookedUp).toEqual(result);
    } finally {
      await client.end();
    }
  },
);

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
