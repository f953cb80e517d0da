import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ANYBODY } from '../../src/auth/principal.js';
import { decodeGlobalId, encodeGlobalId } from '../../src/global-ids.js';
import { aCrash } from '../support/crash-groups.js';
import { everyRow } from '../support/every-table.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

/** Arguments and selection of a mutation, in GraphQL's words. */
type Call = string;
/** Two calls that one request may have, on things of their own. */
type Recipe = (world: World) => Promise<readonly [Call, Call]>;

type World = Awaited<ReturnType<typeof aWorld>>;

/** Every mutation has its line here: one without fails the first test. */
const RECIPES: Readonly<Record<string, Recipe>> = {
  createDeviceModel: async () => [
    '(input: { code: "one", name: "One" }) { deviceModel { id } }',
    '(input: { code: "two", name: "Two" }) { deviceModel { id } }',
  ],
  createDevice: ({ model }) =>
    twice(async (n) => `(input: { modelCode: "${model.code}", key: "made${n}" }) { token }`),
  createDevices: ({ model }) =>
    twice(
      async (n) =>
        `(input: { modelCode: "${model.code}", devices: [{ serial: "SN-${n}" }] }) { devices { token } }`,
    ),
  approveDevice: ({ aDevice }) =>
    twice(async () => `(input: { id: "${await aDevice()}" }) { device { id } }`),
  rejectDevice: ({ aDevice }) => twice(async () => `(input: { id: "${await aDevice()}" }) { device { id } }`),
  createIngestKey: ({ model }) =>
    twice(async (n) => `(input: { modelCode: "${model.code}", name: "line ${n}" }) { key }`),
  revokeIngestKey: ({ anIngestKey }) =>
    twice(async () => `(input: { id: "${await anIngestKey()}" }) { ingestKey { id } }`),
  updateDevice: ({ aDevice }) =>
    twice(async (n) => `(input: { id: "${await aDevice()}", name: "Name ${n}" }) { device { id } }`),
  rotateDeviceToken: ({ aDevice }) => twice(async () => `(input: { id: "${await aDevice()}" }) { token }`),
  revokeDeviceToken: ({ aDevice }) =>
    twice(async () => `(input: { id: "${await aDevice()}" }) { device { id } }`),
  deleteDevice: ({ aDevice }) =>
    twice(async () => `(input: { id: "${await aDevice()}" }) { deletedDeviceId }`),
  updateDeviceModel: ({ model }) =>
    twice(async (n) => `(input: { id: "${model.globalId}", name: "Lamp ${n}" }) { deviceModel { id } }`),
  deleteDeviceModel: ({ aModel }) =>
    twice(async () => `(input: { id: "${await aModel()}" }) { deletedDeviceModelId }`),
  setModelPrivacy: ({ model }) =>
    twice(async (n) => `(input: { modelCode: "${model.code}", keepRawDays: ${n} }) { deviceModel { id } }`),
  updateModelLinks: ({ model }) =>
    twice(
      async (n) =>
        `(input: { modelCode: "${model.code}", ticketUrl: "https://example.org/${n}" }) { deviceModel { id } }`,
    ),
  deleteFirmware: ({ aFirmware }) =>
    twice(async () => `(input: { id: "${await aFirmware()}" }) { deletedFirmwareId }`),
  updateFirmware: ({ aFirmware }) =>
    twice(async (n) => `(input: { id: "${await aFirmware()}", version: "${n}.0" }) { firmware { id } }`),
  deleteCoredump: ({ aDump }) =>
    twice(async () => `(input: { id: "${await aDump()}" }) { deletedCoredumpId }`),
  deleteCoredumps: ({ aDevice }) =>
    twice(async () => `(input: { deviceId: "${await aDevice()}" }) { count }`),
  reparseCoredump: ({ aDump }) =>
    twice(async () => `(input: { id: "${await aDump()}" }) { coredump { id } }`),
  parseCoredump: ({ aDump, aFirmware }) =>
    twice(
      async () =>
        `(input: { id: "${await aDump()}", firmwareId: "${await aFirmware()}" }) { coredump { id } }`,
    ),
  parseCoredumps: ({ aDump, aFirmware }) =>
    twice(
      async () =>
        `(input: { filter: { id: ["${await aDump()}"] }, firmwareId: "${await aFirmware()}" }) { count }`,
    ),
  reparseCoredumps: ({ aDump }) =>
    twice(async (n) => {
      await aDump();
      // The second finds nothing that it could do.
      return `(input: { filter: { chip: ["${n === 1 ? 'esp32c3' : 'none'}"] } }) { count }`;
    }),
  saveView: () =>
    twice(async (n) => `(input: { name: "view ${n}", address: "/groups" }) { savedView { id } }`),
  deleteSavedView: ({ aView }) =>
    twice(async () => `(input: { id: "${await aView()}" }) { deletedSavedViewId }`),
  createTag: () => twice(async (n) => `(input: { name: "tag ${n}" }) { tag { id } }`),
  updateTag: ({ aTag }) =>
    twice(async (n) => `(input: { id: "${await aTag()}", name: "other ${n}" }) { tag { id } }`),
  deleteTag: ({ aTag }) => twice(async () => `(input: { id: "${await aTag()}" }) { deletedTagId }`),
  createTagRule: ({ aTag }) =>
    twice(
      async (n) =>
        `(input: { tagId: "${await aTag()}", conditions: { task: "task ${n}" } }) { tagRule { id } }`,
    ),
  updateTagRule: ({ aTagRule }) =>
    twice(
      async (n) =>
        `(input: { id: "${await aTagRule()}", conditions: { task: "other ${n}" } }) { tagRule { id } }`,
    ),
  deleteTagRule: ({ aTagRule }) =>
    twice(async () => `(input: { id: "${await aTagRule()}" }) { deletedTagRuleId }`),
  setGroupTags: ({ aGroup, aTag }) =>
    twice(
      async () =>
        `(input: { groupIds: ["${await aGroup()}"], add: ["${await aTag()}"] }) { crashGroups { id } }`,
    ),
  setOwnCodeRules: ({ model }) =>
    twice(
      async (n) =>
        `(input: { modelCode: "${model.code}", rules: [{ kind: PATH, pattern: "lib${n}", isOwn: false }] }) { deviceModel { id } }`,
    ),
  createShareLink: ({ aDump }) => twice(async () => `(input: { coredumpId: "${await aDump()}" }) { token }`),
  revokeShareLink: ({ aShareLink }) =>
    twice(async () => `(input: { id: "${await aShareLink()}" }) { shareLink { id } }`),
  createAlertRule: () =>
    twice(
      async (n) => `(input: { name: "rule ${n}", url: "https://example.org", format: SLACK }) { secret }`,
    ),
  updateAlertRule: ({ aRule }) =>
    twice(async (n) => `(input: { id: "${await aRule()}", name: "other ${n}" }) { alertRule { id } }`),
  deleteAlertRule: ({ aRule }) =>
    twice(async () => `(input: { id: "${await aRule()}" }) { deletedAlertRuleId }`),
  testAlertRule: ({ aRule }) =>
    twice(async () => `(input: { id: "${await aRule()}" }) { alertDelivery { event } }`),
  resolveCrashGroup: ({ aGroup }) =>
    twice(async () => `(input: { id: "${await aGroup()}" }) { crashGroup { id } }`),
  ignoreCrashGroup: ({ aGroup }) =>
    twice(async () => `(input: { id: "${await aGroup()}" }) { crashGroup { id } }`),
  reopenCrashGroup: ({ aGroup }) =>
    twice(async () => `(input: { id: "${await aGroup()}" }) { crashGroup { id } }`),
  assignCrashGroup: ({ aGroup }) =>
    twice(async () => `(input: { id: "${await aGroup()}", assignee: "ada" }) { crashGroup { id } }`),
  noteCrashGroup: ({ aGroup }) =>
    twice(async () => `(input: { id: "${await aGroup()}", note: "seen" }) { crashGroup { id } }`),
  updateCrashGroups: ({ aGroup }) =>
    twice(async () => `(input: { ids: ["${await aGroup()}"], state: IGNORED }) { crashGroups { id } }`),
  linkCrashGroupTicket: ({ aGroup }) =>
    twice(
      async () =>
        `(input: { id: "${await aGroup()}", ticketUrl: "https://example.org/1" }) { crashGroup { id } }`,
    ),
  changeCrashGroups: ({ aGroup }) =>
    twice(async () => `(input: { groupIds: ["${await aGroup()}"], state: IGNORED }) { undo }`),
  restoreCrashGroups: ({ anUndo }) =>
    twice(async () => `(input: { groups: ["${await anUndo()}"] }) { groups { id } }`),
  addGroupComment: ({ aGroup }) =>
    twice(async () => `(input: { groupId: "${await aGroup()}", text: "seen" }) { comment { id } }`),
  editGroupComment: ({ aComment }) =>
    twice(async () => `(input: { id: "${await aComment()}", text: "not seen" }) { comment { id } }`),
  deleteGroupComment: ({ aComment }) =>
    twice(async () => `(input: { id: "${await aComment()}" }) { deletedGroupActivityId }`),
  mergeCrashGroups: ({ aGroup }) =>
    twice(
      async () =>
        `(input: { intoId: "${await aGroup()}", ids: ["${await aGroup()}"] }) { crashGroup { id } }`,
    ),
  splitCrashGroup: ({ aMergedGroup }) =>
    twice(async () => {
      const { id, fingerprint } = await aMergedGroup();
      return `(input: { id: "${id}", fingerprints: ["${fingerprint}"] }) { crashGroup { id } }`;
    }),
  regroupCrashes: () => twice(async () => '(input: {}) { regrouping { total } }'),
  uploadCrash: ({ model }) =>
    twice(
      async (n) =>
        `(input: { modelCode: "${model.code}", serial: "SN-${n}", text: "abort() was called at PC 0x400d123${n} on core 0" }) { coredump { id } }`,
    ),
};

/** One for each group: the one that was split, and the one that came out of it. */
const EVENTS_EACH: Readonly<Record<string, number>> = { splitCrashGroup: 2 };

/** A request has one file at most, so an upload's second comes in a request of its own. */
const BY_UPLOAD = 'uploadFirmware';
/** Needs a parser, and stores nothing: test/graphql/crash-files.test.ts. */
const BY_PARSER = 'decodeCrash';

describe('every mutation', () => {
  const { Mutation } = buildSchema(readFileSync('schema.graphql', 'utf8')).getTypeMap();
  const names =
    Mutation !== undefined && 'getFields' in Mutation ? Object.keys(Mutation.getFields()).sort() : [];

  it('is tried here', () => {
    expect([...Object.keys(RECIPES), BY_UPLOAD, BY_PARSER].sort()).toEqual(names);
  });

  it.each(Object.entries(RECIPES))(
    '%s leaves an event each time, which names its target',
    async (name, recipe) => {
      const endpoint = await aGraphQLEndpoint();
      const [first, second] = await recipe(await aWorld(endpoint));
      const before = await eventsOf(endpoint, name);

      const answer = await endpoint.send(`mutation { first: ${name}${first} second: ${name}${second} }`);

      expect(answer.errors).toEqual([]);
      const events = (await eventsOf(endpoint, name)).slice(before.length);
      expect(events).toHaveLength(2 * (EVENTS_EACH[name] ?? 1));
      expect(events.every(({ target }) => target !== null && target !== '')).toBe(true);
      if (ON_ONE_THING.test(first)) expect(events.every(({ targetId }) => targetId !== null)).toBe(true);
    },
  );

  it.each(Object.entries(RECIPES))('%s does nothing that it cannot note', async (name, recipe) => {
    const endpoint = await aGraphQLEndpoint();
    const [call] = await recipe(await aWorld(endpoint));
    const before = await everyRow(endpoint.db);
    await endpoint.db.$executeRaw`ALTER TABLE "AuditEvent" RENAME TO "Lost"`;

    const answer = await endpoint.send(`mutation { ${name}${call} }`);

    await endpoint.db.$executeRaw`ALTER TABLE "Lost" RENAME TO "AuditEvent"`;
    expect(answer.errors).toHaveLength(1);
    expect(await everyRow(endpoint.db)).toEqual(before);
  });

  it('uploadFirmware does both as well', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { model } = await aWorld(endpoint);
    const server = { url: new URL(endpoint.url).origin };
    const upload = () => uploadFirmware(server, { modelCode: model.code, elf: aFirmwareElf() });

    await endpoint.db.$executeRaw`ALTER TABLE "AuditEvent" RENAME TO "Lost"`;
    await expect(upload()).rejects.toThrow('INTERNAL_SERVER_ERROR');
    await endpoint.db.$executeRaw`ALTER TABLE "Lost" RENAME TO "AuditEvent"`;
    expect(await endpoint.db.firmware.count()).toBe(0);

    await upload();
    await upload();
    const events = await eventsOf(endpoint, 'uploadFirmware');
    expect(events.map(({ target }) => target)).toEqual([`${model.code} 1.0.0`, `${model.code} 1.0.0`]);
  });
});

/** A mutation of something that is there already: the event has its id too. */
const ON_ONE_THING = /\(input: \{ (id|intoId|deviceId):/;

async function twice(call: (n: number) => Promise<Call>): Promise<readonly [Call, Call]> {
  return [await call(1), await call(2)];
}

let views = 0;

async function aWorld(endpoint: GraphQLEndpoint) {
  const model = await endpoint.fleet.aModel({ code: 'thermostat' });
  let serial = 0;
  const aGroupAt = async (place: string) =>
    (await aCrash(endpoint, await endpoint.fleet.aDevice(model), { place })).groupId;
  const aGroup = () => aGroupAt(`place_${++serial}`);
  return {
    model,
    aModel: async () => (await endpoint.fleet.aModel()).globalId,
    aDevice: async () => (await endpoint.fleet.aDevice(model)).globalId,
    aDump,
    aFirmware: async () => (await endpoint.fleet.aFirmware(model)).globalId,
    aGroup,
    async anUndo() {
      const { undo } = await endpoint.crashGroups.changeMany([rowIdOf(await aGroup())], { state: 'IGNORED' });
      return undo[0] ?? '';
    },
    async aComment() {
      const { comment } = await endpoint.crashGroups.comments.add(rowIdOf(await aGroup()), 'seen', ANYBODY);
      return encodeGlobalId('GroupActivity', comment.id);
    },
    async aMergedGroup() {
      const place = `place_${++serial}`;
      const [other, id] = [await aGroupAt(place), await aGroup()];
      await endpoint.send(
        `mutation { mergeCrashGroups(input: { intoId: "${id}", ids: ["${other}"] }) { crashGroup { id } } }`,
      );
      return { id, fingerprint: `v1:${place}` };
    },
    async anIngestKey() {
      const { data } = await endpoint.send(
        `mutation { createIngestKey(input: { modelCode: "${model.code}", name: "line" }) { ingestKey { id } } }`,
      );
      const made = data as { createIngestKey: { ingestKey: { id: string } } } | null;
      return made?.createIngestKey.ingestKey.id ?? '';
    },
    async aRule() {
      const { data } = await endpoint.send(
        `mutation {
          createAlertRule(input: { name: "team", url: "https://example.org", format: SLACK }) { alertRule { id } }
        }`,
      );
      const made = data as { createAlertRule: { alertRule: { id: string } } } | null;
      return made?.createAlertRule.alertRule.id ?? '';
    },
    async aView() {
      views += 1;
      const view = await endpoint.db.savedView.create({
        data: {
          name: `mine ${views}`,
          address: '/dumps',
          createdBy: 'anybody',
          createdById: 'open:anybody',
          createdAt: new Date(),
        },
      });
      return encodeGlobalId('SavedView', view.id);
    },
    aTag,
    async aTagRule() {
      const { id } = await endpoint.db.tagRule.create({
        data: { tagId: decodeGlobalId('Tag', await aTag()) ?? 0, task: 'main' },
      });
      return encodeGlobalId('TagRule', id);
    },
    async aShareLink() {
      const { id } = await endpoint.db.shareLink.create({
        data: {
          coredumpId: decodeGlobalId('Coredump', await aDump()) ?? 0,
          tokenSha256: randomUUID(),
          hint: 'abcd',
          createdBy: 'anybody',
          createdAt: new Date(),
          expiresAt: new Date(Date.now() + 86_400_000),
        },
      });
      return encodeGlobalId('ShareLink', id);
    },
  };

  async function aDump(): Promise<string> {
    const device = await endpoint.fleet.aDevice(model);
    const dump = await endpoint.fleet.aDump(device);
    await endpoint.putFile(device, dump);
    return dump.globalId;
  }

  async function aTag(): Promise<string> {
    const { id } = await endpoint.db.tag.create({ data: { name: randomUUID().slice(0, 30), color: 'GRAY' } });
    return encodeGlobalId('Tag', id);
  }
}

async function eventsOf(endpoint: GraphQLEndpoint, action: string) {
  return endpoint.db.auditEvent.findMany({ where: { action }, orderBy: { id: 'asc' } });
}

function rowIdOf(id: string): number {
  return decodeGlobalId('CrashGroup', id) ?? 0;
}
