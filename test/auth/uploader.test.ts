import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema/schema.js';
import { aServer, bearer, errorOf, type TestApp } from '../support/app.js';
import { aModel, GITHUB_JOB, gitHubPublisher, jobToken } from '../support/ci-jobs.js';
import { sendFirmware, uploadFirmware } from '../support/firmware.js';
import { anOidcProvider } from '../support/oidc.js';
import { ADMIN, UPLOADER, VIEWER, WITH_UPLOADER } from '../support/people.js';
import { everyField } from '../support/walk.js';

/**
 * What an uploader may ask of the answer to its upload. From there the schema leads to the whole fleet, so the walk goes
 * through it to every type: what is added to the schema is refused, or belongs here.
 */
const OF_THE_ANSWER = [
  'Mutation.uploadFirmware',
  ...['clientMutationId', 'firmware', 'warnings'].map((name) => `UploadFirmwarePayload.${name}`),
  ...['chip', 'elfLostAt', 'elfSha256', 'elfVersion', 'id', 'model', 'size'].map(
    (name) => `Firmware.${name}`,
  ),
  ...['revision', 'updatedAt', 'uploadedAt', 'version', 'warnings'].map((name) => `Firmware.${name}`),
  ...['code', 'id', 'name'].map((name) => `DeviceModel.${name}`),
  ...['code', 'message'].map((name) => `ReportWarning.${name}`),
];

describe('an uploader', () => {
  it('may read of the answer to its upload what is about the build, and no more', async () => {
    const ci = await anOidcProvider([]);
    const app = await aServerWithModel({
      TRUSTED_PUBLISHERS: JSON.stringify([gitHubPublisher(ci.issuer)]),
    });
    const fields = everyField(schema, { modelCode: '"thermostat"' }, 'uploadFirmware');
    const tokens = { static: UPLOADER, 'CI job': await jobToken(ci, GITHUB_JOB) };

    for (const [who, token] of Object.entries(tokens)) {
      const open: string[] = [];
      for (const { name, document } of fields) {
        // Without a file: what is not refused for the field is refused for that.
        const response = await send(app, { query: document, variables: { upload: null } }, token);
        const answer = (await response.json()) as Answer;
        if (answer.errors?.[0]?.extensions.code !== 'FORBIDDEN') open.push(name);
        else expect(answer.data ?? null, name).toBeNull();
      }
      expect(open.sort(), who).toEqual([...OF_THE_ANSWER].sort());
    }
    expect(fields.length).toBeGreaterThan(200);
  });

  it('is refused before anything runs, however the document hides what it asks for', async () => {
    const app = await aServerWithModel();
    const upload = 'uploadFirmware(input: { modelCode: "thermostat", bundle: $upload })';
    const documents = [
      `mutation ($upload: Upload!) { ${upload} { firmware { id ...F } } } fragment F on Firmware { model { ...M } } fragment M on DeviceModel { devices { nodes { key } } }`,
      `mutation ($upload: Upload!) { ${upload} { firmware { ... on Node { ... on Firmware { coredumpCount } } } } }`,
      `mutation ($upload: Upload!) { ${upload} { firmware { id } } other: deleteFirmware(input: { id: "x" }) { deletedFirmwareId } }`,
      `mutation ($upload: Upload!, $no: Boolean = false) { ${upload} { firmware { coredumpCount @include(if: $no) } } }`,
    ];

    for (const document of documents) {
      expect(await multipart(app, document, UPLOADER), document).toEqual({
        errors: [expect.objectContaining({ extensions: { code: 'FORBIDDEN' } })],
      });
    }
    for (const query of ['{ __schema { types { name } } }', '{ __type(name: "Query") { name } }']) {
      expect((await send(app, { query })).status, query).toBe(403);
    }
    const several = 'query A { viewer { role } } query B { devices { totalCount } }';
    expect((await send(app, { query: several, operationName: 'A' })).status).toBe(200);
    expect((await send(app, { query: several, operationName: 'B' })).status).toBe(403);

    const { firmwares } = await app.graphql<{ firmwares: { totalCount: number } }>(
      '{ firmwares { totalCount } }',
    );
    expect(firmwares.totalCount).toBe(0);
  });

  it('learns who it is, and nothing else', async () => {
    const app = await aServerWithModel();
    const query = '{ __typename viewer { name role canMutate firmwareModels expiresAt } }';

    expect(await (await send(app, { query })).json()).toEqual({
      data: {
        __typename: 'Query',
        viewer: {
          name: expect.stringMatching(/^token [0-9a-f]{8}$/),
          role: 'UPLOADER',
          canMutate: false,
          firmwareModels: null,
          expiresAt: null,
        },
      },
    });
    const config = await fetch(`${app.url}/api/config`, { headers: bearer(UPLOADER) });
    expect(await config.json()).toMatchObject({ role: 'uploader' });
  });

  it('is told from people in the audit, and people are told who may upload', async () => {
    const app = await aServerWithModel();
    await uploadFirmware(app, { headers: bearer(UPLOADER) });

    const { auditEvents } = await app.graphql<{ auditEvents: object }>(
      '{ auditEvents(first: 1) { nodes { action actor role via } } }',
    );
    expect(auditEvents).toEqual({
      nodes: [
        {
          action: 'uploadFirmware',
          actor: expect.stringMatching(/^token /),
          role: 'UPLOADER',
          via: 'TOKEN',
        },
      ],
    });
    const refused = await (await sendFirmware(app, { headers: bearer(VIEWER) })).json();
    expect(refused).toMatchObject({
      errors: [{ message: 'This is for admins and uploaders; your token is a viewer’s.' }],
    });
  });
});

describe('the ELF of a build', () => {
  it('is an attachment with its SHA-256 as tag, and its download is in the audit', async () => {
    const app = await aServerWithModel();
    const { id, elfSha256, size } = await uploadFirmware(app, { headers: bearer(ADMIN) });
    const address = `${app.url}/api/firmwares/${encodeURIComponent(id)}/firmware.elf`;

    const head = await fetch(address, { method: 'HEAD', headers: bearer(UPLOADER) });
    const response = await fetch(address, { headers: bearer(UPLOADER) });
    const again = await fetch(address, {
      headers: { ...bearer(UPLOADER), 'If-None-Match': `"${elfSha256}"` },
    });

    for (const { status, headers } of [head, response]) {
      expect(status).toBe(200);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-length': String(size),
        'content-disposition': 'attachment; filename="thermostat-1.0.0.elf"',
        etag: `"${elfSha256}"`,
        'x-content-type-options': 'nosniff',
      });
    }
    expect(sha256(new Uint8Array(await response.arrayBuffer()))).toBe(elfSha256);
    expect(again.status).toBe(304);
    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: object[] } }>(
      '{ auditEvents(filter: { action: ["downloadFirmware"] }) { nodes { role target targetId } } }',
    );
    expect(auditEvents.nodes).toEqual([{ role: 'UPLOADER', target: 'thermostat 1.0.0', targetId: id }]);
  });

  it('is for viewers where raw dumps are, and for CI jobs where it is of their model', async () => {
    const ci = await anOidcProvider([]);
    const app = await aServerWithModel({
      TRUSTED_PUBLISHERS: JSON.stringify([gitHubPublisher(ci.issuer)]),
    });
    await aModel(app, 'pump');
    const own = await uploadFirmware(app, { headers: bearer(ADMIN) });
    const others = await uploadFirmware(app, { headers: bearer(ADMIN), modelCode: 'pump' });
    const job = await jobToken(ci, GITHUB_JOB);
    const status = async (id: string, token: string) =>
      (
        await fetch(`${app.url}/api/firmwares/${encodeURIComponent(id)}/firmware.elf`, {
          headers: bearer(token),
        })
      ).status;

    expect([await status(own.id, job), await status(others.id, job)]).toEqual([200, 403]);
    expect([await status(own.id, VIEWER), await status(others.id, UPLOADER)]).toEqual([200, 200]);
    await app.graphql(
      'mutation { setModelPrivacy(input: { modelCode: "thermostat", rawForAdminsOnly: true }) { deviceModel { id } } }',
    );
    expect([await status(own.id, VIEWER), await status(own.id, ADMIN)]).toEqual([403, 200]);
    expect([await status(own.id, job), await status(own.id, UPLOADER)]).toEqual([200, 200]);
  });

  it('is 404 for what is no build, and 503 for one that the storage has lost', async () => {
    const app = await aServerWithModel();
    const { id, elfSha256 } = await uploadFirmware(app, { headers: bearer(ADMIN) });
    const get = (path: string) =>
      fetch(`${app.url}/api/firmwares/${path}/firmware.elf`, { headers: bearer(ADMIN) });

    expect((await get(encodeURIComponent(btoa('Firmware:999')))).status).toBe(404);
    expect((await get(encodeURIComponent(btoa('Device:1')))).status).toBe(404);
    expect((await get('..%2f..%2fetc%2fpasswd')).status).toBe(404);
    await rm(join(app.dir, 'firmware', 'thermostat', `${elfSha256}.elf`));
    const lost = await errorOf(await get(encodeURIComponent(id)));
    expect(lost).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(lost.message).toBe(
      'The ELF of firmware 1.0.0 is missing in the storage: upload the same ELF again.',
    );
  });
});

async function aServerWithModel(environment: Record<string, string> = {}): Promise<TestApp> {
  const app = await aServer({ ...WITH_UPLOADER, ...environment }, { token: ADMIN });
  await aModel(app, 'thermostat');
  return app;
}

function send(app: TestApp, body: object, token = UPLOADER): Promise<Response> {
  return fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...bearer(token) },
    body: JSON.stringify(body),
  });
}

interface Answer {
  data?: unknown;
  errors?: Array<{ message: string; extensions: { code: string } }>;
}

/** With a bundle that is none: what gets that far is refused for it, and nothing is stored. */
async function multipart(app: TestApp, query: string, token: string): Promise<Answer> {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables: { upload: null } }));
  form.set('map', JSON.stringify({ file: ['variables.upload'] }));
  form.set('file', new Blob(['no firmware']), 'x.elf');
  const response = await fetch(`${app.url}/graphql`, { method: 'POST', headers: bearer(token), body: form });
  return (await response.json()) as Answer;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
