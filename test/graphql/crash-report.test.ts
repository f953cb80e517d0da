import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';

const FOR_TOOLS = graphql(`
  query ReportForTools($id: ID!) {
    coredump(id: $id) {
      report {
        schemaVersion kind faultAddress elfMatch elfMatches usesElf elfEvidence
        cause { code name register address }
        tasks { core coreAffinity registers { name value symbol meaning } }
        memoryRegions { name address size attributes source }
        memoryRegionCount
      }
    }
  }
`);

const REPORT = {
  schemaVersion: 2,
  kind: 'INVALID_READ',
  reason: 'LoadProhibited at 0x00000010',
  faultAddress: '0x00000010',
  cause: { code: 28, name: 'LoadProhibitedCause', register: 'exccause', address: '0x00000010' },
  appElfSha256: 'abcdef01',
  elfMatch: 'differs',
  usesElf: false,
  elfEvidence: 'evidence',
  tasks: [
    {
      name: 'main',
      tcb: '0x3fc8ea9c',
      core: 1,
      coreAffinity: 0,
      registers: [
        { name: 'a0', value: '0x00000007' },
        { name: 'pc', value: '0x42009351', symbol: 'main+1', meaning: null },
      ],
    },
  ],
  memoryRegions: [
    { name: '.iram0.text', address: '0x40374000', size: 4096, attributes: 'R XA', source: 'firmware' },
    { name: '.coredump.tasks.data', address: '0xfffff000', size: 4096, attributes: 'RW', source: 'dump' },
  ],
  memoryRegionCount: 900,
};

async function reportOf(stored: object) {
  const endpoint = await aGraphQLEndpoint();
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  const dump = await endpoint.fleet.aDump(device, { parseStatus: 'PARSED', output: 'text', report: stored });
  const { coredump } = await endpoint.ask(FOR_TOOLS, { id: dump.globalId });
  return coredump?.report;
}

describe('a report for tools', () => {
  it('has cause, address, cores, registers of each task, and memory', async () => {
    expect(await reportOf(REPORT)).toEqual({
      schemaVersion: 2,
      kind: 'INVALID_READ',
      faultAddress: '0x00000010',
      cause: REPORT.cause,
      elfMatch: 'DIFFERS',
      elfMatches: false,
      usesElf: false,
      elfEvidence: 'evidence',
      tasks: [
        {
          core: 1,
          coreAffinity: 0,
          registers: [
            { name: 'a0', value: '0x00000007', symbol: null, meaning: null },
            { name: 'pc', value: '0x42009351', symbol: 'main+1', meaning: null },
          ],
        },
      ],
      memoryRegions: [
        { ...REPORT.memoryRegions[0], source: 'FIRMWARE' },
        { ...REPORT.memoryRegions[1], source: 'DUMP' },
      ],
      memoryRegionCount: 900,
    });
  });

  it.each([
    { elfMatches: true, appElfSha256: 'abcdef01', elfMatch: 'MATCHES', usesElf: true },
    { elfMatches: false, appElfSha256: 'abcdef01', elfMatch: 'DIFFERS', usesElf: false },
    { elfMatches: false, appElfSha256: null, elfMatch: 'UNKNOWN', usesElf: true },
    { elfMatches: false, appElfSha256: '000000000', elfMatch: 'UNKNOWN', usesElf: true },
  ])('of an earlier release that says $elfMatches of $appElfSha256 is $elfMatch', async (old) => {
    const { elfMatch, usesElf, ...stored } = old;

    const report = await reportOf({
      ...stored,
      reason: 'Store access fault at 0x00000000',
      tasks: [{ name: 'a', tcb: '0x3fc8ea9c' }],
    });

    expect(report).toEqual({
      schemaVersion: 1,
      kind: 'INVALID_WRITE',
      faultAddress: null,
      cause: null,
      elfMatch,
      elfMatches: stored.elfMatches,
      usesElf,
      elfEvidence: null,
      tasks: [{ core: null, coreAffinity: null, registers: [] }],
      memoryRegions: [],
      memoryRegionCount: 0,
    });
  });
});
