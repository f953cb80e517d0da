import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/platform/clock.js';
import { graphql } from '../generated/gql.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const IGNORE = graphql(`
  mutation IgnoreUntilSomething($id: ID!, $until: IgnoreUntil) {
    ignoreCrashGroup(input: { id: $id, until: $until }) { crashGroup { state } }
  }
`);
const GROUP = graphql(`
  query IgnoredGroup($id: ID!) {
    crashGroup(id: $id) {
      state ignoredUntil { crashesLeft at version } activity { nodes { kind actor text } }
    }
  }
`);

/** Two crashes of one group, and a clock that stands still. */
async function aWorld(options: { beside?: GraphQLEndpoint } = {}) {
  let time = new Date('2026-03-01T12:00:00Z');
  const clock = { ...createSystemClock(), now: () => time };
  const endpoint = await aGraphQLEndpoint({ clock, ...options });
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  const later = (minutes: number) => {
    time = new Date(time.getTime() + minutes * 60_000);
    return time;
  };
  const crash = (version = '1.0.0', at = later(1)) => aCrash(endpoint, device, { version, at });
  await crash();
  const { groupId } = await crash();
  return {
    ...{ endpoint, device, clock, later, crash, groupId },
    ignore: (until: { crashes?: number; at?: string; version?: string } | null) =>
      endpoint.ask(IGNORE, { id: groupId, until }),
    async group() {
      const { crashGroup } = await endpoint.ask(GROUP, { id: groupId });
      return crashGroup;
    },
  };
}

describe('a group that is ignored until something comes', () => {
  it('is open again with the last of so many further crashes, and not by earlier ones that are read late', async () => {
    const { crash, ignore, group, later } = await aWorld();
    const before = later(1);
    later(1);
    await ignore({ crashes: 2 });

    await crash('1.0.0', before);
    await crash();
    expect(await group()).toMatchObject({ state: 'IGNORED', ignoredUntil: { crashesLeft: 1 } });
    await crash();

    expect(await group()).toMatchObject({
      state: 'OPEN',
      ignoredUntil: null,
      activity: {
        nodes: [
          { kind: 'IGNORE_ENDED', actor: null, text: '5 crashes' },
          { kind: 'IGNORED', actor: 'anybody', text: '2 crashes' },
        ],
      },
    });
  });

  it('counts a crash once that gets another fingerprint of the group', async () => {
    const { endpoint, device, ignore, group, later, groupId } = await aWorld();
    const at = later(1);
    const dump = await aPendingDump(endpoint, device, { at });
    await parsed(endpoint, dump, { crash: { place: 'other' } });
    await endpoint.crashGroups.merge(1, [2]);
    await ignore({ crashes: 1 });

    await endpoint.putFile(device, dump);
    await endpoint.coredumps.reparse(dump.id);
    expect(await parsed(endpoint, dump, { crash: {} })).toBe(groupId);

    expect(await group()).toMatchObject({ state: 'IGNORED', ignoredUntil: { crashesLeft: 1 } });
  });

  it('takes as many further crashes after it took in another group', async () => {
    const { endpoint, device, ignore, group, later } = await aWorld();
    await aCrash(endpoint, device, { place: 'other', at: later(1) });
    await aCrash(endpoint, device, { place: 'other', at: later(1) });
    await ignore({ crashes: 2 });

    await endpoint.crashGroups.merge(1, [2]);
    expect(await group()).toMatchObject({ state: 'IGNORED', ignoredUntil: { crashesLeft: 2 } });
    await endpoint.crashGroups.split(1, ['v1:other']);

    expect(await group()).toMatchObject({ state: 'IGNORED', ignoredUntil: { crashesLeft: 2 } });
  });

  it('is open again with a crash of that version or a later one', async () => {
    const { crash, ignore, group } = await aWorld();
    await ignore({ version: '1.4.0' });

    await crash('1.3.9');
    expect(await group()).toMatchObject({ state: 'IGNORED', ignoredUntil: { version: '1.4.0' } });
    await crash('1.4.1');

    expect(await group()).toMatchObject({ state: 'OPEN' });
    expect((await group())?.activity.nodes[0]).toMatchObject({ kind: 'IGNORE_ENDED', text: 'version 1.4.1' });
  });

  it('is open again at that time, once, whichever servers look', async () => {
    const { endpoint, ignore, group, later, clock } = await aWorld();
    const beside = endpoint.databaseUrl.startsWith('postgresql')
      ? await aGraphQLEndpoint({ clock, beside: endpoint })
      : endpoint;
    await ignore({ at: '2026-03-01T13:00:00.000Z' });

    await endpoint.endIgnores();
    expect(await group()).toMatchObject({ state: 'IGNORED' });
    later(60);
    await Promise.all([endpoint.endIgnores(), beside.endIgnores(), endpoint.endIgnores()]);

    const ended = await group();
    expect(ended?.state).toBe('OPEN');
    expect(ended?.activity.nodes.filter(({ kind }) => kind === 'IGNORE_ENDED')).toEqual([
      { kind: 'IGNORE_ENDED', actor: null, text: '2026-03-01T13:00:00.000Z' },
    ]);
  });

  it('is opened once by crashes that come at the same time', async () => {
    const { endpoint, device, ignore, group, later, clock } = await aWorld();
    const beside = endpoint.databaseUrl.startsWith('postgresql')
      ? await aGraphQLEndpoint({ clock, beside: endpoint })
      : endpoint;
    await ignore({ crashes: 2 });
    const at = later(1);

    await Promise.all([endpoint, beside, endpoint, beside].map((each) => aCrash(each, device, { at })));

    expect((await group())?.activity.nodes.map(({ kind }) => kind)).toEqual(['IGNORE_ENDED', 'IGNORED']);
  });

  it.each([
    ['nothing', {}, 'one of'],
    ['two things', { crashes: 1, version: '1' }, 'one of'],
    ['no crash', { crashes: 0 }, 'from 1'],
    ['the past', { at: '2020-01-01T00:00:00Z' }, 'in the future'],
    ['a version of blanks', { version: ' ' }, '1 to 64'],
  ])('needs something that can come, not %s', async (_, until, text) => {
    const { ignore, group } = await aWorld();

    await expect(ignore(until)).rejects.toThrow(text);

    expect(await group()).toMatchObject({ state: 'OPEN', activity: { nodes: [] } });
  });
});
