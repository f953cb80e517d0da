import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { aCrashAt, type Call } from '../support/own-code.js';
import { recount } from '../support/recount.js';

const SET = graphql(`
  mutation SetOwnCode($input: SetOwnCodeRulesInput!) {
    setOwnCodeRules(input: $input) { deviceModel { ownCodeRules { kind pattern isOwn } ownCodeRegrouping { total done } } }
  }
`);
const PREVIEW = graphql(`
  query PreviewOwnCode($modelCode: String!, $rules: [OwnCodeRuleInput!]!) {
    previewOwnCodeRules(modelCode: $modelCode, rules: $rules) {
      lookedAtCount isComplete changedCount changedGroupCount
      changes { kind count titleBefore titleAfter crashGroup { id } intoCrashGroup { id } }
    }
  }
`);
const GROUPS = graphql(`
  query OwnCodeGroups { crashGroups(orderBy: { field: FIRST_SEEN_AT, direction: ASC }) { nodes { id title count keptCount note state mergedIds } } }
`);
const DUMP = graphql(`
  query OwnCodeOfDump($id: ID!) {
    coredump(id: $id) {
      parsedOutput
      report { explanation culprit { function } tasks { frames { function isOwnCode } } }
    }
  }
`);
const PROGRESS = graphql(`
  query OwnCodeProgress($code: String!) { deviceModel(code: $code) { ownCodeRegrouping { total done finishedAt } } }
`);
const NOTE = graphql(`
  mutation NoteForOwnCode($id: ID!, $note: String!) { noteCrashGroup(input: { id: $id, note: $note }) { crashGroup { id } } }
`);
const RESOLVE = graphql(`
  mutation ResolveForOwnCode($id: ID!) { resolveCrashGroup(input: { id: $id, inVersion: "9.0.0" }) { crashGroup { id } } }
`);

const VENDOR: Call = ['vendor_send', '/b/components/vendor/send.c'];
const PUBLISH: Call = ['publish', '/b/main/publish.c'];
const CONNECT: Call = ['connect_wifi', '/b/main/wifi.c'];
const NOT_VENDOR = [{ kind: 'PATH' as const, pattern: 'components/vendor', isOwn: false }];

async function aWorld() {
  const endpoint = await aGraphQLEndpoint();
  const model = await endpoint.fleet.aModel({ code: 'thermostat' });
  return { endpoint, model, device: await endpoint.fleet.aDevice(model) };
}

async function set(endpoint: GraphQLEndpoint, rules: typeof NOT_VENDOR) {
  const answer = await endpoint.ask(SET, { input: { modelCode: 'thermostat', rules } });
  await endpoint.ruleRuns.idle();
  return answer.setOwnCodeRules.deviceModel;
}

const preview = async (endpoint: GraphQLEndpoint, rules: typeof NOT_VENDOR) =>
  (await endpoint.ask(PREVIEW, { modelCode: 'thermostat', rules })).previewOwnCodeRules;
const groupsOf = async (endpoint: GraphQLEndpoint) => (await endpoint.ask(GROUPS, {})).crashGroups.nodes;

describe('rules about own code', () => {
  it('decide the place of a new crash: its title, its explanation and its frames', async () => {
    const { endpoint, device } = await aWorld();
    await set(endpoint, NOT_VENDOR);

    const crash = await aCrashAt(endpoint, device, [VENDOR, PUBLISH]);

    expect(await groupsOf(endpoint)).toMatchObject([{ title: 'LoadProhibited in publish (publish.c)' }]);
    const { coredump } = await endpoint.ask(DUMP, { id: crash.globalId });
    expect(coredump?.report).toMatchObject({
      explanation: 'NULL pointer plus offset 0x10 read in `publish` at publish.c:88',
      culprit: { function: 'publish' },
      tasks: [{ frames: [{ isOwnCode: false }, { isOwnCode: true }] }],
    });
    expect(coredump?.parsedOutput).toContain('read in `publish` at publish.c:88\n');
  });

  it('let a group go on at its new place, with its note and the crashes of deleted dumps', async () => {
    const { endpoint, device } = await aWorld();
    const first = await aCrashAt(endpoint, device, [VENDOR, PUBLISH]);
    await aCrashAt(endpoint, device, [VENDOR, PUBLISH]);
    await endpoint.ask(NOTE, { id: first.groupId, note: 'known' });
    await endpoint.coredumps.delete(first.id);

    expect(await preview(endpoint, NOT_VENDOR)).toEqual({
      ...{ lookedAtCount: 1, isComplete: true, changedCount: 1, changedGroupCount: 1 },
      changes: [
        {
          kind: 'RENAMED',
          count: 1,
          titleBefore: 'LoadProhibited in vendor_send (send.c)',
          titleAfter: 'LoadProhibited in publish (publish.c)',
          crashGroup: { id: first.groupId },
          intoCrashGroup: null,
        },
      ],
    });
    const model = await set(endpoint, NOT_VENDOR);

    expect(model).toEqual({ ownCodeRules: NOT_VENDOR, ownCodeRegrouping: { total: 1, done: 0 } });
    expect(await groupsOf(endpoint)).toMatchObject([
      {
        id: first.groupId,
        title: 'LoadProhibited in publish (publish.c)',
        count: 2,
        keptCount: 1,
        note: 'known',
      },
    ]);
    expect(await endpoint.ask(PROGRESS, { code: 'thermostat' })).toMatchObject({
      deviceModel: { ownCodeRegrouping: { total: 1, done: 1, finishedAt: expect.any(String) } },
    });
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('split a group by who called, and join it again when they are gone', async () => {
    const { endpoint, device } = await aWorld();
    // The sixth frame does not count for the group, so both crashes have one place first.
    const same = Array.from({ length: 5 }, (_, at): Call => [`vendor_${at}`, `/b/components/vendor/${at}.c`]);
    const { groupId } = await aCrashAt(endpoint, device, [...same, PUBLISH]);
    await aCrashAt(endpoint, device, [...same, PUBLISH]);
    await aCrashAt(endpoint, device, [...same, CONNECT]);
    await endpoint.ask(RESOLVE, { id: groupId });

    expect(await preview(endpoint, NOT_VENDOR)).toMatchObject({
      changes: [
        { kind: 'RENAMED', count: 2 },
        { kind: 'SPLIT', count: 1, titleAfter: 'LoadProhibited in connect_wifi (wifi.c)' },
      ],
    });
    await set(endpoint, NOT_VENDOR);

    const split = await groupsOf(endpoint);
    expect(split).toMatchObject([
      { id: groupId, title: 'LoadProhibited in publish (publish.c)', count: 2, state: 'RESOLVED' },
      { title: 'LoadProhibited in connect_wifi (wifi.c)', count: 1, state: 'RESOLVED' },
    ]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);

    await set(endpoint, []);

    expect(await groupsOf(endpoint)).toMatchObject([
      { id: groupId, title: 'LoadProhibited in vendor_0 (0.c)', count: 3, mergedIds: [split[1]?.id] },
    ]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('join a group that is at the place already, deleted dumps included', async () => {
    const { endpoint, device } = await aWorld();
    const left = await aCrashAt(endpoint, device, [VENDOR, PUBLISH]);
    const last = await aCrashAt(endpoint, device, [VENDOR, PUBLISH]);
    await endpoint.ask(NOTE, { id: left.groupId, note: 'of the vendor' });
    const { groupId } = await aCrashAt(endpoint, device, [PUBLISH]);
    await endpoint.coredumps.delete(left.id);

    expect(await preview(endpoint, NOT_VENDOR)).toMatchObject({
      lookedAtCount: 2,
      changedCount: 1,
      changes: [{ kind: 'JOINED', crashGroup: { id: left.groupId }, intoCrashGroup: { id: groupId } }],
    });
    await set(endpoint, NOT_VENDOR);

    expect(await groupsOf(endpoint)).toMatchObject([
      { id: groupId, count: 3, keptCount: 2, note: 'of the vendor', mergedIds: [last.groupId] },
    ]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('leave crashes of other models alone', async () => {
    const { endpoint, device } = await aWorld();
    const other = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const { groupId } = await aCrashAt(endpoint, device, [VENDOR, PUBLISH]);
    await aCrashAt(endpoint, other, [VENDOR, PUBLISH]);

    await set(endpoint, NOT_VENDOR);

    expect(await groupsOf(endpoint)).toMatchObject([
      { id: groupId, title: 'LoadProhibited in vendor_send (send.c)', count: 1 },
      { title: 'LoadProhibited in publish (publish.c)', count: 1 },
    ]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('change nothing where they concern no crash', async () => {
    const { endpoint, device } = await aWorld();
    await aCrashAt(endpoint, device, [PUBLISH]);
    const before = await endpoint.db.crashGroup.findMany();

    await set(endpoint, NOT_VENDOR);

    expect(await endpoint.db.crashGroup.findMany()).toEqual(before);
  });

  it('go on where a server that died has stopped', async () => {
    const { endpoint, model, device } = await aWorld();
    const crashes = [];
    for (const at of [1, 2, 3])
      crashes.push(await aCrashAt(endpoint, device, [VENDOR, [`caller_${at}`, '/b/main/a.c']]));
    await endpoint.db.ownCodeRule.createMany({
      data: NOT_VENDOR.map((rule, position) => ({ modelId: model.id, position, ...rule })),
    });
    const done = { total: 3, done: 1, afterId: crashes[0]?.id ?? 0 };
    await endpoint.db.regroupRun.create({
      data: {
        ...{ fingerprintVersion: `own code of model ${model.id}`, startedAt: new Date(), ...done },
        ...{ leaseOwner: 'somebody who died', leaseUntil: new Date(Date.now() - 1) },
      },
    });

    endpoint.ruleRuns.wake();
    await endpoint.ruleRuns.idle();

    expect((await groupsOf(endpoint)).map(({ title }) => title)).toEqual([
      'LoadProhibited in vendor_send (send.c)',
      'LoadProhibited in caller_2 (a.c)',
      'LoadProhibited in caller_3 (a.c)',
    ]);
    expect(await endpoint.db.regroupRun.findFirst({ where: { total: 3 } })).toMatchObject({
      done: 3,
      leaseOwner: null,
    });
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it.each([
    [{ kind: 'PATH', pattern: '  ', isOwn: false }, 'A pattern is 1 to 200 characters.'],
    [
      { kind: 'PATH', pattern: 'a*', isOwn: false },
      'A path has no "*": name the folder, which stands for everything in it.',
    ],
  ])('are refused with a sentence: %o', async (rule, message) => {
    const endpoint = await aGraphQLEndpoint();
    await endpoint.fleet.aModel({ code: 'thermostat' });

    const { errors } = await endpoint.send(
      `mutation ($rules: [OwnCodeRuleInput!]!) { setOwnCodeRules(input: { modelCode: "thermostat", rules: $rules }) { clientMutationId } }`,
      { rules: [rule] },
    );

    expect(errors).toMatchObject([
      { message, extensions: { code: 'BAD_USER_INPUT', field: 'input.rules.0.pattern' } },
    ]);
  });
});
