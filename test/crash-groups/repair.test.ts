import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createRegroupJob } from '../../src/crash-groups/regroup-job.js';
import { FINGERPRINT_VERSION } from '../../src/crashdump/index.js';
import { aCrash, aPendingDump } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';

/** As a start does. @returns what was logged */
async function start(endpoint: GraphQLEndpoint): Promise<object[]> {
  const logged: object[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void logged.push(JSON.parse(line)) });
  const { db, groupAlerts: alerts } = endpoint;
  const database = { db, now: async () => new Date() };
  const job = createRegroupJob({ database, owner: 'test', now: () => new Date(), log, alerts });
  job.start();
  await job.idle();
  await job.close();
  return logged;
}

describe('the first start of this version', () => {
  it('sets right what an earlier one counted wrong, though its regrouping was done', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    await aCrash(endpoint, device, { place: 'a' });
    await aCrash(endpoint, device, { place: 'b' });
    const waiting = await aPendingDump(endpoint, device);
    const seen = { firstSeenAt: new Date(), lastSeenAt: new Date() };
    await endpoint.db.$transaction(async (tx) => {
      await tx.crashGroup.updateMany({ data: { count: 7, deviceCount: 0 } });
      const ghost = { title: 'ghost', reason: '', reasonClass: '', state: 'OPEN', count: 3, heat: 0 };
      const { id } = await tx.crashGroup.create({ data: { ...ghost, ...seen } });
      const rule = { url: 'http://127.0.0.1:9/', format: 'GENERIC', secret: '', createdAt: new Date() };
      const tells = { onNew: true, onRegression: true };
      await tx.alertRule.create({ data: { ...rule, ...tells, name: 'of the ghost', groupId: id } });
      await tx.alertRule.create({ data: { ...rule, ...tells, name: 'of all' } });
      // Queued again before it was read, by a version that did not count it then.
      await tx.coredump.updateMany({ where: { id: waiting.id }, data: { parseGeneration: 1 } });
      const done = { fingerprintVersion: FINGERPRINT_VERSION, total: 2, done: 2 };
      await tx.regroupRun.create({ data: { ...done, startedAt: new Date(), finishedAt: new Date() } });
    });

    const logged = await start(endpoint);

    expect(await recount(endpoint.databaseUrl)).toEqual([]);
    expect(logged).toMatchObject([
      { emptyGroups: 1, recountedGroups: 2, rulesSwitchedOff: 1, unreadDumps: 1 },
    ]);
    const rules = await endpoint.db.alertRule.findMany({ orderBy: { id: 'asc' } });
    expect(rules.map(({ enabled }) => enabled)).toEqual([false, true]);
    expect(await endpoint.db.crashGroup.count()).toBe(2);
    // Once is enough.
    expect(await start(endpoint)).toEqual([]);
  });
});
