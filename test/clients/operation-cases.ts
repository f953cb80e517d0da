import { aCrash } from '../support/crash-groups.js';
import { aFirmwareElf } from '../support/firmware.js';
import type { GraphQLEndpoint } from '../support/graphql-server.js';
import type { SizedFleet } from './fleet-of-two-sizes.js';
import type { Variables } from './three-clients.js';

/** How an operation of `operations/` is run once more: what it needs is made anew each time. */
interface OperationCase {
  /** The SQL statements that it takes with SQLite, however many rows there are. */
  statements: number;
  variables?(place: {
    endpoint: GraphQLEndpoint;
    fleet: SizedFleet;
    serial: number;
  }): Promise<Variables> | Variables;
}

const SINCE = '2026-01-01T00:00:00Z';
/** All of the small fleet, a page of the large one. */
const first = 100;

export const OPERATION_CASES: Readonly<Record<string, OperationCase>> = {
  WhoAmI: { statements: 0 },
  FleetOverview: { statements: 14 },
  DevicesByCrashes: { statements: 7, variables: () => ({ first, modelCode: ['thermostat', 'pump'] }) },
  DevicesByLastCrash: { statements: 2, variables: () => ({ first, since: SINCE }) },
  OneDevice: { statements: 8, variables: () => ({ key: 'd1' }) },
  DumpsByFilter: {
    statements: 7,
    variables: () => ({
      first,
      filter: {
        ...{ parseStatus: ['PARSED', 'ERROR'], modelCode: ['thermostat', 'pump'], chip: ['esp32c3'] },
        ...{ firmwareVersion: ['1.0.0', '1.1.0'], uploadedAfter: SINCE },
      },
    }),
  },
  OneDump: { statements: 7, variables: ({ fleet }) => ({ id: fleet.dumps[0]?.globalId }) },
  DumpsOfBuild: { statements: 4, variables: ({ fleet }) => ({ first, id: fleet.builds[0]?.globalId }) },
  DumpsOfGroups: { statements: 3, variables: ({ fleet }) => ({ first, ids: fleet.groups }) },
  GroupsByOrder: {
    statements: 6,
    variables: () => ({ first, orderBy: { field: 'VELOCITY' }, filter: { state: ['OPEN', 'RESOLVED'] } }),
  },
  OneGroup: { statements: 11, variables: ({ fleet }) => ({ id: fleet.groups[0] }) },
  TriageGroups: {
    statements: 9,
    variables: ({ fleet, serial }) => ({ input: { ids: fleet.groups, assignee: `person ${serial}` } }),
  },
  MergeGroups: {
    statements: 24,
    variables: async ({ endpoint, fleet, serial }) => {
      const [intoId, ...ids] = await newGroups(endpoint, fleet, serial, 3);
      return { input: { intoId, ids } };
    },
  },
  SplitGroup: {
    statements: 32,
    variables: async ({ endpoint, fleet, serial }) => {
      const [intoId, ...ids] = await newGroups(endpoint, fleet, serial, 2);
      await endpoint.send(
        'mutation ($input: MergeCrashGroupsInput!) { mergeCrashGroups(input: $input) { __typename } }',
        {
          input: { intoId, ids },
        },
      );
      return { input: { id: intoId, fingerprints: [`v1:new_${serial}_1`] } };
    },
  },
  CrashesByVersionAndModel: { statements: 3 },
  CrashFreeDevices: { statements: 3, variables: () => ({ modelCode: ['thermostat', 'pump'] }) },
  FirmwaresOfModel: { statements: 8, variables: () => ({ code: 'thermostat' }) },
  MissingFirmwares: { statements: 3 },
  CompareReleases: {
    statements: 5,
    variables: ({ fleet }) => ({ builds: fleet.builds.map(({ globalId }) => globalId) }),
  },
  UploadBuild: {
    statements: 10,
    variables: ({ serial }) => ({
      input: {
        modelCode: 'thermostat',
        bundle: new File([new Uint8Array(aFirmwareElf({ note: `build ${serial}` }))], 'thermostat.elf'),
      },
    }),
  },
  SearchEverything: { statements: 8, variables: () => ({ query: 'function', first: 50 }) },
  AlertRules: { statements: 4, variables: () => ({ first, deliveries: 20 }) },
  MakeAlertRule: {
    statements: 4,
    variables: ({ serial }) => ({
      input: { name: `rule ${serial}`, url: 'https://alerts.example/', format: 'GENERIC' },
    }),
  },
  ChangeAlertRule: {
    statements: 5,
    variables: async ({ endpoint, serial }) => ({
      input: { id: await aRule(endpoint, serial), onNew: false, spikeCount: 10, enabled: false },
    }),
  },
  TryAlertRule: {
    statements: 4,
    variables: async ({ endpoint, serial }) => ({ input: { id: await aRule(endpoint, serial) } }),
  },
  RemoveAlertRule: {
    statements: 4,
    variables: async ({ endpoint, serial }) => ({ input: { id: await aRule(endpoint, serial) } }),
  },
  AuditLog: { statements: 1, variables: () => ({ first }) },
  ThingsByIds: {
    statements: 5,
    variables: ({ fleet }) => ({
      ids: [
        ...fleet.devices.slice(0, 15).map(({ globalId }) => globalId),
        ...fleet.dumps.slice(0, 15).map(({ globalId }) => globalId),
        ...fleet.models.map(({ globalId }) => globalId),
        ...fleet.builds.map(({ globalId }) => globalId),
        ...fleet.groups.slice(0, 15),
      ],
    }),
  },
  ReparseDumps: { statements: 11, variables: () => ({ input: { filter: { deviceKey: ['d2'] } } }) },
  DeleteDumps: {
    statements: 14,
    variables: ({ serial }) => ({ input: { filter: { deviceKey: [`d${3 + (serial % 3)}`] } } }),
  },
};

async function newGroups(endpoint: GraphQLEndpoint, fleet: SizedFleet, serial: number, count: number) {
  const groups: string[] = [];
  for (let index = 0; index < count; index++) {
    const device = fleet.devices[index];
    if (device === undefined) throw new Error('the fleet has no such device');
    groups.push((await aCrash(endpoint, device, { place: `new_${serial}_${index}` })).groupId);
  }
  return groups;
}

async function aRule(endpoint: GraphQLEndpoint, serial: number): Promise<string> {
  const { data } = await endpoint.send(
    'mutation ($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { alertRule { id } } }',
    { input: { name: `rule ${serial}`, url: 'https://alerts.example/', format: 'GENERIC' } },
  );
  return (data as { createAlertRule: { alertRule: { id: string } } }).createAlertRule.alertRule.id;
}
