import { graphql } from '../generated/gql.js';
import type { GraphQLEndpoint } from './graphql-server.js';

export const LIST_COREDUMPS = graphql(`
  query ListCoredumps($filter: CoredumpFilter) {
    coredumps(first: 200, filter: $filter) { totalCount nodes { filename } }
  }
`);

export const ONE_COREDUMP = graphql(`
  query OneCoredump($id: ID!) {
    coredump(id: $id) {
      id filename chip firmwareVersion size sha256 parseStatus parseAttempts uploadedAt parsedAt downloadUrl
      parsedOutput
      device { id key }
      firmware { id version }
      report {
        reason chip chipRevision inInterrupt crashedTask appElfSha256 elfMatches format checksum warnings { code message }
        registers { name value }
        tasks {
          name tcb crashed priority state stackUsed stackFree stackNeverUsed stackCorrupted backtraceEnd
          frames { index pc function file line inlined trust atLineStart arguments { name value } }
          interruptedFrames { index pc function }
        }
      }
    }
  }
`);

/** Four dumps, a to d, of two devices of two models. */
export async function aSmallFleet({ fleet }: Pick<GraphQLEndpoint, 'fleet'>) {
  const thermostat = await fleet.aModel({ code: 'thermostat' });
  const pump = await fleet.aModel({ code: 'pump' });
  const kitchen = await fleet.aDevice(thermostat, { key: 'kitchen' });
  const cellar = await fleet.aDevice(pump, { key: 'cellar', name: 'Ärztehaus Keller Pumpe' });
  const january = (day: number) => new Date(Date.UTC(2026, 0, day));
  await fleet.aDump(kitchen, {
    filename: 'a.dmp',
    parseStatus: 'PARSED',
    output: 'LoadProhibited at 0x10',
    fingerprint: 'v1:0011223344556677',
    uploadedAt: january(1),
  });
  await fleet.aDump(kitchen, {
    filename: 'b.dmp',
    chip: 'esp32s3',
    parseStatus: 'PARSED',
    output: 'heap 100% used',
    uploadedAt: january(2),
  });
  await fleet.aDump(cellar, {
    filename: 'c.dmp',
    firmwareVersion: '2.0.0',
    parseStatus: 'ERROR',
    output: 'assert a_b',
    uploadedAt: january(3),
  });
  await fleet.aDump(cellar, {
    filename: 'd.dmp',
    firmwareVersion: '2.0.0',
    output: 'C:\\tmp axb 100',
    uploadedAt: january(4),
  });
}
