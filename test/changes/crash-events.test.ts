import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { followChanges, followFromNow, nameOf, toldOf } from '../support/change-follower.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const DELETE_DUMP = graphql(
  `mutation DeleteOneDump($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }`,
);
const DELETE_DEVICE = graphql(
  `mutation DeleteOneDevice($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }`,
);
const MERGE_TWO = graphql(`
  mutation MergeTwo($into: ID!, $id: ID!) {
    mergeCrashGroups(input: { intoId: $into, ids: [$id] }) { crashGroup { id } }
  }
`);
const PRIVACY = graphql(`
  mutation KeepNoRaw($code: String!) { setModelPrivacy(input: { modelCode: $code, removeRawOnceRead: true }) { clientMutationId } }
`);

describe('crashEvents', () => {
  it('begins with READY and its cursor, then tells arrival, change and deletion of a dump as such', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { next } = await followChanges(endpoint, { subjects: ['COREDUMP'] });
    const ready = await next();
    const seen = [];

    const dump = await aPendingDump(endpoint, device);
    endpoint.changes.wake();
    seen.push(await next());
    await parsed(endpoint, dump);
    endpoint.changes.wake();
    seen.push(await next());
    await endpoint.ask(DELETE_DUMP, { id: dump.globalId });
    seen.push(await next());

    const { globalId: id } = dump;
    expect(ready).toMatchObject({ type: 'READY', id: null, subject: null, node: null });
    expect(ready.cursor).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(seen).toMatchObject([
      { type: 'ARRIVED', id, subject: 'COREDUMP', node: { id }, coredump: { id, parseStatus: 'PENDING' } },
      { type: 'CHANGED', id, subject: 'COREDUMP', node: { id }, coredump: { id, parseStatus: 'PARSED' } },
      { type: 'DELETED', id, subject: 'COREDUMP', node: null, coredump: null },
    ]);
    for (const { at } of seen) expect(Math.abs(Date.now() - Date.parse(at))).toBeLessThan(60_000);
  });

  it('tells of an upload its arrival only, and not that the device was used', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { key } = await aDevice(endpoint);

    expect(await toldOf(endpoint, () => upload(endpoint, key))).toEqual(['ARRIVED Coredump:1']);
  });

  it('tells of the oldest dump that is deleted when one too many arrives', async () => {
    const endpoint = await aGraphQLEndpoint({ maxCoredumps: 1 });
    const { key } = await aDevice(endpoint);
    await upload(endpoint, key, 'first');

    expect(await toldOf(endpoint, () => upload(endpoint, key, 'second'))).toEqual([
      'ARRIVED Coredump:2',
      'DELETED Coredump:1',
    ]);
  });

  it('tells of a device that is deleted, and of its dumps', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const dumps = [await endpoint.fleet.aDump(device), await endpoint.fleet.aDump(device)];

    expect(await toldOf(endpoint, () => endpoint.ask(DELETE_DEVICE, { id: device.globalId }))).toEqual(
      [device, ...dumps].map(({ globalId }) => `DELETED ${nameOf(globalId)}`).sort(),
    );
  });

  it('tells of dumps that the database itself deletes with their device', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const dump = await endpoint.fleet.aDump(device);
    await endpoint.db.removedRaw.create({ data: { coredumpId: dump.id, removedAt: new Date() } });

    expect(await toldOf(endpoint, () => endpoint.db.device.delete({ where: { id: device.id } }))).toEqual(
      [dump, device].map(({ globalId }) => `DELETED ${nameOf(globalId)}`).sort(),
    );
  });

  it('tells of a group that is merged as deleted, and of the other as changed', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId: into } = await aCrash(endpoint, device, { place: 'one' });
    const { groupId: id } = await aCrash(endpoint, device, { place: 'other' });

    expect(await toldOf(endpoint, () => endpoint.ask(MERGE_TWO, { into, id }))).toEqual([
      `CHANGED ${nameOf(into)}`,
      `DELETED ${nameOf(id)}`,
    ]);
  });

  it('tells of the group that a crash is counted in', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId } = await aCrash(endpoint, device);
    const dump = await aPendingDump(endpoint, device);

    expect(await toldOf(endpoint, () => parsed(endpoint, dump))).toEqual([
      `CHANGED ${nameOf(dump.globalId)}`,
      `CHANGED ${nameOf(groupId)}`,
    ]);
  });

  it('tells of a build, and of the dumps that lose it', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    const build = await endpoint.fleet.aFirmware(model);
    const device = await endpoint.fleet.aDevice(model);
    const dump = await endpoint.fleet.aDump(device, { firmwareId: build.id });

    expect(await toldOf(endpoint, () => endpoint.db.firmware.delete({ where: { id: build.id } }))).toEqual([
      `CHANGED ${nameOf(dump.globalId)}`,
      `DELETED ${nameOf(build.globalId)}`,
    ]);
  });

  it.each([
    [
      'removed',
      (db: Db, coredumpId: number) => db.removedRaw.create({ data: { coredumpId, removedAt: NOW } }),
    ],
    ['lost', (db: Db, coredumpId: number) => db.lostRaw.create({ data: { coredumpId, noticedAt: NOW } })],
  ])('tells of a dump whose raw bytes are %s as changed', async (_, note) => {
    const endpoint = await aGraphQLEndpoint();
    const { id, globalId } = await endpoint.fleet.aDump(await aDevice(endpoint));

    expect(await toldOf(endpoint, () => note(endpoint.db, id))).toEqual([`CHANGED ${nameOf(globalId)}`]);
  });

  it('tells of a build whose ELF is lost and found again as changed', async () => {
    const { fleet, ...endpoint } = await aGraphQLEndpoint();
    const { id: firmwareId, globalId } = await fleet.aFirmware(await fleet.aModel());

    const told = await toldOf({ fleet, ...endpoint }, async () => {
      await endpoint.db.lostElf.create({ data: { firmwareId, noticedAt: NOW } });
      await endpoint.db.lostElf.deleteMany();
    });

    expect(told).toEqual([`CHANGED ${nameOf(globalId)}`]);
  });

  it('tells of a model whose privacy settings change', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { globalId: id, code } = await endpoint.fleet.aModel();

    expect(await toldOf(endpoint, () => endpoint.ask(PRIVACY, { code }))).toEqual([`CHANGED ${nameOf(id)}`]);
  });

  it('does not tell of leases, attempts and the use of tokens', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    await endpoint.fleet.aDump(device);

    const told = await toldOf(endpoint, async () => {
      await endpoint.db.coredump.updateMany({
        data: { leaseOwner: 'me', leaseUntil: NOW, parseAttempts: { increment: 1 }, parseStatus: 'PENDING' },
      });
      await endpoint.db.device.updateMany({ data: { lastUploadAt: NOW, tokenUsedAt: NOW, updatedAt: NOW } });
    });

    expect(told).toEqual([]);
  });

  it('tells nothing of a transaction that was rolled back', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);

    const told = await toldOf(endpoint, () =>
      endpoint.db
        .$transaction(async (tx) => {
          await tx.device.update({ where: { id: device.id }, data: { name: 'never' } });
          throw new Error('changed my mind');
        })
        .catch(() => {}),
    );

    expect(told).toEqual([]);
  });

  it('can be limited to a dump, to a device with its dumps, to a group, and to subjects', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [one, other] = [await aDevice(endpoint), await aDevice(endpoint)];
    const { dump, groupId } = await aCrash(endpoint, one, { place: 'one' });
    const filters = [
      { dump: dump.globalId },
      { device: one.globalId },
      { device: one.globalId, subjects: ['DEVICE' as const] },
      { group: groupId },
      { dump: dump.globalId, group: groupId },
    ];
    const followers = await Promise.all(filters.map((filter) => followFromNow(endpoint, filter)));

    await aCrash(endpoint, other, { place: 'other' });
    await endpoint.db.coredump.update({ where: { id: dump.id }, data: { parseErrorKind: 'other' } });
    await endpoint.db.device.delete({ where: { id: one.id } });
    await endpoint.db.crashSignature.deleteMany();
    await endpoint.db.crashGroup.deleteMany();
    endpoint.changes.wake();

    const ends = [[dump], [dump, one], [one], [{ globalId: groupId }], [dump, { globalId: groupId }]];
    const told = await Promise.all(
      followers.map(async ({ next }, at) => {
        const waiting = new Set(ends[at]?.map(({ globalId }) => globalId));
        const names = new Set<string>();
        while (waiting.size > 0) {
          const event = await next();
          names.add(nameOf(event.id));
          if (event.type === 'DELETED') waiting.delete(event.id ?? '');
        }
        return [...names].sort();
      }),
    );
    const names = { dump: nameOf(dump.globalId), device: nameOf(one.globalId), group: nameOf(groupId) };
    expect(told).toEqual([
      [names.dump],
      [names.dump, names.device],
      [names.device],
      [names.group],
      [names.dump, names.group],
    ]);
  });

  it('reads what changed together in one statement for each subject, for all followers', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { dump: first } = await aCrash(endpoint, device);
    const dumps = [first];
    for (let n = 0; n < 9; n++) dumps.push((await aCrash(endpoint, device, { place: `place ${n}` })).dump);
    const followers = [await followFromNow(endpoint), await followFromNow(endpoint)];

    const statements = await endpoint.statementsOf(async () => {
      await endpoint.db.$transaction([
        endpoint.db.coredump.updateMany({ data: { parseErrorKind: 'other' } }),
        endpoint.db.crashGroup.updateMany({ data: { note: 'all of them' } }),
      ]);
      endpoint.changes.wake();
      for (const { next } of followers) for (let n = 0; n < 20; n++) await next();
    });

    const ofDumps = statements.filter((sql) =>
      /^SELECT.*FROM (`main`\.`|"public"\.")Coredump[`"]/s.test(sql),
    );
    const ofGroups = statements.filter((sql) =>
      /^SELECT.*FROM (`main`\.`|"public"\.")CrashGroup[`"]/s.test(sql),
    );
    expect([ofDumps.length, ofGroups.length]).toEqual([1, 1]);
  });
});

const NOW = new Date();
type Db = GraphQLEndpoint['db'];

async function aDevice({ fleet }: GraphQLEndpoint) {
  return fleet.aDevice(await fleet.aModel());
}

async function upload({ coredumps, devices }: GraphQLEndpoint, key: string, bytes = 'a dump'): Promise<void> {
  const device = await devices.findByKey(key);
  if (device === null) throw new Error(`there is no device ${key}`);
  await coredumps.save({
    device,
    chip: 'esp32',
    firmwareVersion: '1.0.0',
    idempotencyKey: null,
    body: (async function* () {
      yield Buffer.from(bytes);
    })(),
  });
}
