import { describe, expect, it } from 'vitest';
import { aDevice, aServer, bearer, errorOf, stored, type TestApp } from '../support/app.js';
import { aReport } from '../support/crash-groups.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { sql } from '../support/sql.js';

const DAY_MS = 86_400_000;

/** A server with authentication, a clock of its own, and a crash whose report has a secret in its memory. */
async function aSharedCrash(environment: Record<string, string> = STATIC_TOKENS) {
  const time = { nowMs: Date.now() };
  const app = await aServer(environment, {
    token: ADMIN,
    clock: { now: () => new Date(time.nowMs), uniqueMicros: () => BigInt(Date.now()) * 1000n },
  });
  const { token } = await aDevice(app);
  const { coredumpId } = await stored(app, 'dump', { headers: bearer(token) });
  const report = aReport();
  const [task] = report.tasks;
  const [frame] = task?.frames ?? [];
  const sent = { ...frame, arguments: [{ name: 'key', value: '0x3fc8ea9c "hunter2"' }] };
  const telling = {
    ...report,
    logLines: ['hunter2'],
    tasks: [{ ...task, frames: [sent, ...(task?.frames.slice(1) ?? [])] }],
  };
  await sql(app, `UPDATE "Coredump" SET "parseStatus" = 'PARSED'`);
  await sql(
    app,
    `INSERT INTO "CoredumpText" ("coredumpId", "output", "report") VALUES (1, 'text', '${JSON.stringify(telling)}')`,
  );
  return { app, time, coredumpId };
}

async function aLink(app: TestApp, coredumpId: string, expiresInDays?: number) {
  const { createShareLink } = await app.graphql<{
    createShareLink: { token: string; url: string; shareLink: { id: string; hint: string } };
  }>(
    `mutation ($input: CreateShareLinkInput!) {
      createShareLink(input: $input) { token url shareLink { id hint } }
    }`,
    { input: { coredumpId, ...(expiresInDays === undefined ? {} : { expiresInDays }) } },
  );
  return createShareLink;
}

const open = ({ url }: TestApp, token?: string) => fetch(`${url}/api/shared`, { headers: bearer(token) });

describe('a share link', () => {
  it('shows one crash, redacted, without anything that leads on', async () => {
    const { app, coredumpId } = await aSharedCrash();
    const { token, url, shareLink } = await aLink(app, coredumpId);

    const response = await open(app, token);

    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      ...{ 'cache-control': 'no-store', 'x-robots-tag': 'noindex', 'referrer-policy': 'no-referrer' },
    });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      ...{ title: 'LoadProhibited at 0x00000010', chip: 'esp32c3', crashVersion: '1.0.0' },
      report: {
        tasks: [{ frames: [{ arguments: [{ value: '0x3fc8ea9c <redacted>' }] }, { isOwnCode: true }] }],
      },
    });
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain(coredumpId);
    expect(JSON.parse(text).markdown).not.toContain('/dumps/');
    expect(url).toMatch(new RegExp(`/shared#${token}$`));
    expect(token.endsWith(shareLink.hint)).toBe(true);
  });

  it('ends when it is revoked, when its time is over, and with its dump', async () => {
    const { app, time, coredumpId } = await aSharedCrash();
    const [revoked, short, long] = [
      await aLink(app, coredumpId),
      await aLink(app, coredumpId, 1),
      await aLink(app, coredumpId, 90),
    ];

    await app.graphql(
      'mutation ($id: ID!) { revokeShareLink(input: { id: $id }) { shareLink { revokedAt } } }',
      {
        id: revoked.shareLink.id,
      },
    );
    time.nowMs += DAY_MS;

    expect(await errorOf(await open(app, revoked.token))).toMatchObject({ status: 410, code: 'GONE' });
    expect((await errorOf(await open(app, short.token))).message).toMatch(
      /^This link expired on \d{4}-\d\d-\d\d\./,
    );
    expect((await open(app, long.token)).status).toBe(200);
    await app.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
      id: coredumpId,
    });
    expect((await open(app, long.token)).status).toBe(404);
  });

  it('is no credential anywhere else, and its token is not stored', async () => {
    const { app, coredumpId } = await aSharedCrash();
    const { token } = await aLink(app, coredumpId);
    const id = encodeURIComponent(coredumpId);

    for (const path of [
      `/api/coredumps/${id}/download`,
      `/api/coredumps/${id}/core.elf`,
      '/graphql?query={viewer{name}}',
    ])
      expect((await fetch(app.url + path, { headers: bearer(token) })).status).toBe(401);
    expect(JSON.stringify(await sql(app, 'SELECT * FROM "ShareLink"'))).not.toContain(token);
  });

  it('is made, listed and revoked by admins only, and noted in the audit log', async () => {
    const { app, coredumpId } = await aSharedCrash();
    const { shareLink } = await aLink(app, coredumpId);
    const list =
      'query ($id: ID!) { coredump(id: $id) { shareLinks { nodes { hint createdBy expiresAt } } } }';
    const asViewer = async (query: string, variables: object) =>
      (await (
        await fetch(`${app.url}/graphql`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', ...bearer(VIEWER) },
          body: JSON.stringify({ query, variables }),
        })
      ).json()) as { errors: Array<{ extensions: { code: string } }> };

    expect(await app.graphql(list, { id: coredumpId })).toMatchObject({
      coredump: { shareLinks: { nodes: [{ hint: shareLink.hint }] } },
    });
    for (const query of [
      list,
      'query ($id: ID!) { node(id: $id) { ... on ShareLink { hint } } }',
      'mutation ($id: ID!) { createShareLink(input: { coredumpId: $id }) { token } }',
    ]) {
      const id = query.includes('ShareLink {') ? shareLink.id : coredumpId;
      expect((await asViewer(query, { id })).errors[0]?.extensions.code, query).toBe('FORBIDDEN');
    }
    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: object[] } }>(
      '{ auditEvents(filter: { action: ["createShareLink"] }) { nodes { detail } } }',
    );
    expect(auditEvents.nodes).toEqual([{ detail: `for 7 days (…${shareLink.hint})` }]);
  });

  it('cannot be guessed', async () => {
    const { app } = await aSharedCrash({ ...STATIC_TOKENS, AUTH_FAILURES_PER_MINUTE: '3' });
    const guess = () => open(app, `cds_${'x'.repeat(43)}`);

    const statuses = [];
    for (let tries = 0; tries < 4; tries += 1) statuses.push((await guess()).status);

    expect(statuses).toEqual([404, 404, 404, 429]);
  });

  it('works with authentication off too', async () => {
    const { app, coredumpId } = await aSharedCrash({});

    const { token } = await aLink(app, coredumpId);

    expect((await open(app, token)).status).toBe(200);
    expect((await open(app)).status).toBe(404);
  });
});
