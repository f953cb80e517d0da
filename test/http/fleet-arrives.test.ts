import { describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { aServer, type TestApp } from '../support/app.js';
import { anIngestKey, uploadBySerial } from '../support/enrolment.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';
import { filesOf } from '../support/stored-dumps.js';

const isPostgresql = inject('postgresql') !== undefined;
/** `npm run bench -- enrolment` does the same with 10,000, and with servers that are processes of their own. */
const DEVICES = 500;
const AT_ONCE = 100;

describe('a fleet that arrives at once, by one ingest key', () => {
  it('is registered once, each device with its dump', async () => {
    const { apps, key } = await aWorld();

    const answers = await uploadAll(apps, key, serials(DEVICES));

    expect(answers.map(({ status }) => status).filter((status) => status !== 201)).toEqual([]);
    expect(answers.filter(({ device }) => device !== undefined)).toHaveLength(DEVICES);
    await expectEachOnce(apps, answers);
  });

  it('is registered once, also if every device sends twice at the same time', async () => {
    const { apps, key } = await aWorld();
    const all = serials(DEVICES / 2);

    // One after the other in the list, so that the two arrive together, at different servers if there are two.
    const answers = await uploadAll(
      apps,
      key,
      all.flatMap((serial) => [serial, serial]),
    );

    expect(answers.map(({ status }) => status).filter((status) => status !== 201)).toEqual([]);
    expect(answers.filter(({ device }) => device !== undefined)).toHaveLength(all.length);
    for (let at = 0; at < answers.length; at += 2) {
      expect(answers[at]?.coredumpId).toBe(answers[at + 1]?.coredumpId);
    }
    await expectEachOnce(apps, answers);
  });
});

interface Answer {
  serial: string;
  status: number;
  coredumpId?: string;
  device?: { key: string };
}

/** Two servers where the database allows it. */
async function aWorld() {
  const app = await aServer(STATIC_TOKENS, { token: ADMIN });
  const apps = isPostgresql ? [app, await app.another()] : [app];
  const { key } = await anIngestKey(app, { newDevicesPerHour: DEVICES });
  return { apps, key };
}

function serials(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `SN-${String(n).padStart(6, '0')}`);
}

async function uploadAll(apps: readonly TestApp[], key: string, all: readonly string[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < all.length; at = next++) {
      const [serial, app] = [all[at] ?? '', apps[at % apps.length]];
      if (app === undefined) throw new Error('at least one server is needed');
      // On a connection of its own, as in support/senders.ts.
      const response = await uploadBySerial(app, serial, { key, headers: { Connection: 'close' } });
      answers[at] = { ...((await response.json()) as object), serial, status: response.status };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers;
}

async function expectEachOnce(apps: readonly TestApp[], answers: readonly Answer[]): Promise<void> {
  const [app] = apps;
  if (app === undefined) throw new Error('at least one server is needed');
  const files = await filesOf(app);
  // SQLite is for one process at a time.
  await Promise.all(apps.map((each) => each.close()));
  const { db, close } = await openDatabase(app.config.databaseUrl);
  try {
    const devices = await db.device.findMany({ include: { coredumps: { select: { filename: true } } } });
    const bySerial = new Map(devices.map((device) => [device.serial, device]));
    const sent = new Set(answers.map(({ serial }) => serial));
    expect(devices).toHaveLength(sent.size);
    expect([...bySerial.keys()].sort()).toEqual([...sent].sort());
    expect(devices.filter(({ coredumps }) => coredumps.length !== 1)).toEqual([]);
    const told = answers.flatMap(({ serial, device }) =>
      device === undefined ? [] : [[serial, device.key]],
    );
    expect(told.filter(([serial = '', key]) => bySerial.get(serial)?.key !== key)).toEqual([]);
    expect(files).toHaveLength(sent.size);
    expect(await db.ingestKey.findMany({ select: { newDevicesInHour: true } })).toEqual([
      { newDevicesInHour: sent.size },
    ]);
    expect(await db.auditEvent.count({ where: { action: 'registerDevice' } })).toBe(sent.size);
  } finally {
    await close();
  }
}
