import type { Program } from '../support/program.js';
import type { Fault } from './faults.js';
import type { World } from './world.js';

interface Group {
  id: string;
  fingerprints: string[];
}

const ROUNDS = 12;

/** What several people do at once, each on a server of their own where there are two. */
export const PEOPLE_FAULTS: readonly Fault[] = [
  {
    name: 'people split and merge the same groups at once',
    missing: () => null,
    async strike(world) {
      for (let round = 0; round < ROUNDS; round++) {
        const groups = await groupsOf(serverOf(world, 0));
        const [first, second] = groups;
        if (first === undefined) continue;
        const changes = [0, 1, 2, 3].flatMap((person) => {
          const server = serverOf(world, person);
          const split = first.fingerprints.length < 2 ? [] : [splitOf(server, first)];
          return second === undefined ? split : [...split, mergeOf(server, first, second)];
        });
        await Promise.all(changes);
      }
    },
  },
];

/** Who comes second is told so. */
const FOR_LOSERS = new Set(['CONFLICT', 'NOT_FOUND', 'BAD_USER_INPUT', 'RATE_LIMITED']);
/** Servers here give a statement so little time that a busy machine may take longer. */
const TIMED_OUT = 'The database is not available now; try again.';

function splitOf(server: Program, { id, fingerprints }: Group): Promise<void> {
  return change(
    server,
    'mutation ($id: ID!, $names: [String!]!) { splitCrashGroup(input: { id: $id, fingerprints: $names }) { crashGroup { id } } }',
    { id, names: fingerprints.slice(0, 1) },
  );
}

function mergeOf(server: Program, into: Group, other: Group): Promise<void> {
  return change(
    server,
    'mutation ($into: ID!, $ids: [ID!]!) { mergeCrashGroups(input: { intoId: $into, ids: $ids }) { crashGroup { id } } }',
    { into: into.id, ids: [other.id] },
  );
}

async function change(server: Program, query: string, variables: object): Promise<void> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { errors = [] } = (await response.json()) as {
    errors?: Array<{ message: string; extensions: { code: string } }>;
  };
  for (const { message, extensions } of errors) {
    if (!FOR_LOSERS.has(extensions.code) && message !== TIMED_OUT)
      throw new Error(`a change of a group got ${extensions.code}: ${message}`);
  }
}

async function groupsOf(server: Program): Promise<Group[]> {
  const { crashGroups } = await server.graphql<{ crashGroups: { nodes: Group[] } }>(
    '{ crashGroups(first: 10) { nodes { id fingerprints } } }',
  );
  return crashGroups.nodes;
}

function serverOf({ servers }: World, person: number): Program {
  const up = servers.filter((server) => server !== null);
  const server = up[person % up.length];
  if (server === undefined) throw new Error('a server is up');
  return server;
}
