import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { encodeGlobalId } from '../../src/global-ids.js';
import { schema } from '../../src/graphql/schema/schema.js';
import { createRoutes, type Handlers, type Route } from '../../src/http/routes.js';
import { aDevice, aServer, bearer, stored, type TestApp } from '../support/app.js';
import { signedIn } from '../support/browser-session.js';
import { GITHUB_JOB, gitHubPublisher, jobToken } from '../support/ci-jobs.js';
import { uploadFirmware } from '../support/firmware.js';
import { anOidcProvider, inSeconds, type OidcProvider } from '../support/oidc.js';
import { ADMIN, UPLOADER, VIEWER, WITH_UPLOADER } from '../support/people.js';
import { type AskedField, everyField } from '../support/walk.js';

/**
 * Who may do what, cell by cell, through the real endpoints. The rows are generated from the schema, so that whatever is
 * added to it is here by itself; what a person may do with it at most follows from its operation, and from the list of
 * what is stricter.
 */
const ADMINS_ONLY = ['auditEvents', 'previewOwnCodeRules', 'previewTagRule'];
/** Mutations that viewers may use, too: comments. */
const FOR_VIEWERS = [
  'addGroupComment',
  'editGroupComment',
  'deleteGroupComment',
  'saveView',
  'deleteSavedView',
  'decodeCrash',
];
/** What an uploader may read: who it is. Its one mutation is for the models that exist, and these documents name none. */
const FOR_UPLOADERS = ['viewer'];
/** Ids of nothing, so that an admin's mutations find nothing to delete. */
const FIELDS = everyField(schema, { ID: JSON.stringify(encodeGlobalId('Device', 999_999)) });

/** Every route but those of GraphQL, which have cells for their fields: whatever is added is here by itself. */
const ROUTES = createRoutes(new Proxy({} as Handlers, { get: () => () => undefined })).filter(
  ({ path }) => path !== '*' && path !== '/graphql',
);
const UPLOADERS_TOO = ['/api/firmwares/:id/firmware.elf'];

type Outcome = 'in' | 401 | 403;

describe('the access matrix', () => {
  it('has no wrong cell', async () => {
    const issuer = await anOidcProvider([
      { id: 'dashboard', roles: ['viewer'] },
      { id: 'ci', roles: ['admin'] },
      { id: 'release', roles: ['uploader'] },
      { id: 'baker', roles: ['baker'] },
      { id: 'iotdevice-thermostat-dev1' },
      { id: 'iotdevice-pump-dev1' },
    ]);
    const ci = await anOidcProvider([]);
    const app = await aServer(
      {
        ...WITH_UPLOADER,
        ...issuer.environment,
        TRUSTED_PUBLISHERS: JSON.stringify([gitHubPublisher(ci.issuer)]),
        AUTH_FAILURES_PER_MINUTE: '100000',
        ESP_CRASH_ROUTES: 'true',
      },
      { token: ADMIN },
    );
    const device = await aDevice(app);
    const other = await aDevice(app, { key: 'dev2' });
    const { coredumpId } = await stored(app, 'dump', { headers: bearer(device.token) });
    const firmware = await uploadFirmware(app, { headers: bearer(ADMIN) });
    const ingest = await anIngestKey(app);
    const shared = await aShareLink(app, coredumpId);
    const whos = [
      ...(await everybody(issuer, ci, { device: device.token, other: other.token, ingest, shared })),
      ...(await browsers(app)),
    ];
    const wrong: string[] = [];
    let cells = 0;
    const cell = async (who: Who, what: string, expected: Outcome, find: () => Promise<Outcome>) => {
      cells += 1;
      const found = await find();
      if (found !== expected) wrong.push(`${who.name} × ${what}: ${found}, not ${expected}`);
    };

    const row = async (who: Who) => {
      for (const route of ROUTES) {
        const address = addressOf(route.path, { dump: coredumpId, firmware: firmware.id });
        const isUpload = !route.methods.includes('GET');
        await cell(who, route.path, expectedAt(route, who), () =>
          isUpload ? uploadAs(app, who, address) : statusOf(app, address, who),
        );
      }
      await cell(who, 'GraphiQL', reads(who), () => statusOf(app, '/graphql', who, { Accept: 'text/html' }));
      const poster = asPoster(who);
      for (const field of FIELDS) {
        await cell(who, field.name, expectedOf(poster, field), () => ask(app, field, who));
      }
      for (const { name, document, operation } of FIELDS) {
        if (operation !== 'subscription' || !name.startsWith('Subscription.')) continue;
        await cell(who, `${name} over SSE`, reads(poster), () => overSse(app, document, who));
        await cell(who, `${name} over WebSocket`, reads(poster), () => overWebSocket(app, who));
      }
    };
    await Promise.all(whos.map(row));

    expect(wrong).toEqual([]);
    expect(cells).toBeGreaterThan(whos.length * FIELDS.length);
  }, 600_000);
});

interface Who {
  name: string;
  kind: 'nobody' | 'roleless' | 'device' | 'viewer' | 'uploader' | 'admin';
  token?: string;
  /** Headers of a browser, whose cookie is no credential of devices. */
  browser?: Record<string, string>;
  /** The cookie counts for what only reads, and not for a POST or a WebSocket. */
  isNobodyWherePosted?: boolean;
  /** Of the device "dev1", or of the one with the serial. */
  mayUpload?: boolean;
  serial?: string;
  /** The only ones whose firmware it may upload. */
  models?: string[];
}

async function everybody(
  issuer: OidcProvider,
  ci: OidcProvider,
  tokens: { device: string; other: string; ingest: string; shared: string },
): Promise<Who[]> {
  const admin = { realm_access: { roles: ['admin'] } };
  const good = await issuer.token('ci');
  const [head = '', body = '', signature = ''] = good.split('.');
  const claims = { ...admin, iss: issuer.issuer, aud: 'coredock', exp: inSeconds(3600) };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  // All cells take a while on a busy machine.
  const job = { ...GITHUB_JOB, exp: inSeconds(3600) };
  const forged = `${head}.${encoded(claims)}`;
  return [
    { name: 'anonymous', kind: 'nobody' },
    { name: 'random token', kind: 'nobody', token: 'x'.repeat(43) },
    { name: 'device', kind: 'device', token: tokens.device, mayUpload: true },
    {
      name: 'device by issuer',
      kind: 'device',
      token: await issuer.token('iotdevice-thermostat-dev1'),
      mayUpload: true,
    },
    { name: 'other device', kind: 'device', token: tokens.other },
    { name: 'ingest key', kind: 'device', token: tokens.ingest, mayUpload: true, serial: 'SN-1' },
    { name: 'share link', kind: 'nobody', token: tokens.shared },
    { name: 'ingest key, made up', kind: 'nobody', token: `cdk_${'x'.repeat(43)}`, serial: 'SN-1' },
    { name: 'device of another model', kind: 'roleless', token: await issuer.token('iotdevice-pump-dev1') },
    { name: 'viewer', kind: 'viewer', token: VIEWER },
    { name: 'viewer by issuer', kind: 'viewer', token: await issuer.token('dashboard') },
    { name: 'uploader', kind: 'uploader', token: UPLOADER },
    { name: 'uploader by issuer', kind: 'uploader', token: await issuer.token('release') },
    { name: 'CI job', kind: 'uploader', token: await jobToken(ci, job), models: ['thermostat'] },
    {
      name: 'CI job of a pull request',
      kind: 'nobody',
      token: await jobToken(ci, { ...GITHUB_JOB, event_name: 'pull_request' }),
    },
    {
      name: 'CI job elsewhere',
      kind: 'nobody',
      token: await jobToken(ci, { ...GITHUB_JOB, repository_id: '1' }),
    },
    { name: 'admin', kind: 'admin', token: ADMIN },
    { name: 'admin by issuer', kind: 'admin', token: good },
    { name: 'without a role', kind: 'roleless', token: await issuer.token('baker') },
    { name: 'expired', kind: 'nobody', token: await issuer.sign({ ...admin, exp: inSeconds(-3600) }) },
    { name: 'wrong audience', kind: 'nobody', token: await issuer.token('ci', 'other') },
    { name: 'alg=none', kind: 'nobody', token: `${encoded({ alg: 'none' })}.${encoded(claims)}.` },
    { name: 'alg=HS256', kind: 'nobody', token: hmac(claims, 'coredock') },
    { name: 'tampered', kind: 'nobody', token: `${head}.${encoded({ ...claims, sub: 'me' })}.${signature}` },
    {
      name: 'signed by another key',
      kind: 'nobody',
      token: `${forged}.${sign('sha256', Buffer.from(forged), privateKey).toString('base64url')}`,
    },
    { name: 'unsigned', kind: 'nobody', token: `${head}.${body}.` },
  ];
}

/** The page of another site. */
const FOREIGN = 'https://evil.example';

/** Who has signed in with a browser, and what pages of other sites would make of the cookie. */
async function browsers(app: TestApp): Promise<Who[]> {
  const cookieOf = async (token: string) => (await signedIn(app, token)).browser.headers.Cookie;
  const admin = await cookieOf(ADMIN);
  return [
    {
      name: 'viewer by cookie',
      kind: 'viewer',
      browser: { Cookie: await cookieOf(VIEWER), Origin: app.url },
    },
    { name: 'admin by cookie', kind: 'admin', browser: { Cookie: admin, Origin: app.url } },
    {
      name: 'admin by cookie, without an Origin',
      kind: 'admin',
      isNobodyWherePosted: true,
      browser: { Cookie: admin },
    },
    {
      name: 'admin by cookie, for the page of another site',
      kind: 'nobody',
      browser: { Cookie: admin, Origin: FOREIGN },
    },
  ];
}

function asPoster(who: Who): Who {
  return who.isNobodyWherePosted === true ? { ...who, kind: 'nobody' } : who;
}

/** Pages of other sites are refused where devices and CI send, whatever they bring along. */
function isForeign({ browser }: Who): boolean {
  return browser?.Origin === FOREIGN;
}

async function anIngestKey(app: TestApp): Promise<string> {
  const { createIngestKey } = await app.graphql<{ createIngestKey: { key: string } }>(
    'mutation { createIngestKey(input: { modelCode: "thermostat", name: "line 1" }) { key } }',
  );
  return createIngestKey.key;
}

async function aShareLink(app: TestApp, coredumpId: string): Promise<string> {
  const { createShareLink } = await app.graphql<{ createShareLink: { token: string } }>(
    'mutation ($id: ID!) { createShareLink(input: { coredumpId: $id }) { token } }',
    { id: coredumpId },
  );
  return createShareLink.token;
}

function reads({ kind }: Who): Outcome {
  if (kind === 'nobody') return 401;
  return kind === 'viewer' || kind === 'admin' ? 'in' : 403;
}

function uploads({ kind, mayUpload }: Who): Outcome {
  if (kind === 'nobody') return 401;
  return mayUpload === true ? 'in' : 403;
}

/** Anonymous people learn how to sign in; a token that is none is refused. */
function readsConfig(who: Who): Outcome {
  if (who.kind === 'uploader' || who.token === undefined) return 'in';
  return reads(who);
}

/** Also an uploader may know who it is. */
function readsSession(who: Who): Outcome {
  return who.kind === 'uploader' ? 'in' : reads(who);
}

function expectedOf(who: Who, { operation, root }: AskedField): Outcome {
  if (who.kind === 'uploader') {
    if (root === 'uploadFirmware') return who.models === undefined ? 'in' : 403;
    return FOR_UPLOADERS.includes(root) ? 'in' : 403;
  }
  const needsAdmin = (operation === 'mutation' && !FOR_VIEWERS.includes(root)) || ADMINS_ONLY.includes(root);
  return needsAdmin && who.kind === 'viewer' ? 403 : reads(who);
}

function expectedAt({ path, access }: Route, who: Who): Outcome {
  const isForPrograms = access === 'devices' || access === 'uploaders' || path === '/mcp';
  if (isForPrograms && who.browser !== undefined) return isForeign(who) ? 403 : 401;
  if (access === 'devices') return uploads(who);
  if (access === 'uploaders') return uploadsFirmware(who);
  if (path === '/api/config') return readsConfig(who);
  if (path === '/api/session') return readsSession(who);
  if (access === 'anyone') return 'in';
  return UPLOADERS_TOO.includes(path) && who.kind === 'uploader' ? 'in' : reads(who);
}

function uploadsFirmware({ kind }: Who): Outcome {
  if (kind === 'admin' || kind === 'uploader') return 'in';
  return kind === 'nobody' ? 401 : 403;
}

function addressOf(path: string, { dump, firmware }: { dump: string; firmware: string }): string {
  const id = encodeURIComponent(path.startsWith('/api/firmwares/') ? firmware : dump);
  return path.replace(':device', 'dev1').replace(':id', id);
}

function headersOf({ token, browser = {} }: Who): Record<string, string> {
  return { ...bearer(token), ...browser };
}

async function statusOf(app: TestApp, path: string, who: Who, headers = {}): Promise<Outcome> {
  const response = await asked(app.url + path, { headers: { ...headers, ...headersOf(who) } });
  await response.arrayBuffer();
  return outcomeOf(response.status);
}

function outcomeOf(status: number): Outcome {
  return status === 401 || status === 403 ? status : 'in';
}

async function uploadAs(app: TestApp, who: Who, path: string): Promise<Outcome> {
  const { serial } = who;
  const device = serial === undefined ? { device_key: 'dev1' } : { device_serial: serial };
  const query = new URLSearchParams({ chip: 'esp32c3', firmware_version: '1.0.0', ...device });
  const address = `${app.url}${path}?${query}`;
  const response = await asked(address, { method: 'POST', headers: headersOf(who), body: bodyFor(path) });
  // A page of another site is refused by a status after which a device keeps its dump.
  if (response.status >= 500 && !isForeign(who)) throw new Error(await response.text());
  await response.arrayBuffer();
  return outcomeOf(response.status);
}

function bodyFor(path: string): string | null {
  // A boot report says everything in its address.
  if (path === '/api/iot/boot') return null;
  return path === '/api/iot/crash' ? '{"reason":"LoadProhibited"}' : 'dump';
}

/** On a busy machine the server may close a kept connection in the moment in which it is used again. */
async function asked(...request: Parameters<typeof fetch>): Promise<Response> {
  for (;;) {
    try {
      return await fetch(...request);
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      if (cause?.code !== 'ECONNRESET') throw error;
    }
  }
}

/** "In" is whatever is not a refusal: the ids are of nothing, so NOT_FOUND is what who is let in gets to hear. */
async function ask(
  app: TestApp,
  { document, needsUpload, operation }: AskedField,
  who: Who,
): Promise<Outcome> {
  // By POST a subscription is asked for as SSE; here only whether it is refused matters, and that is told at once.
  if (operation === 'subscription') return overSse(app, document, who);
  const body = JSON.stringify({ query: document, variables: needsUpload ? { upload: null } : {} });
  const form = new FormData();
  form.set('operations', body);
  form.set('map', JSON.stringify({ file: ['variables.upload'] }));
  form.set('file', new Blob(['no firmware']), 'x.elf');
  const response = await asked(`${app.url}/graphql`, {
    method: 'POST',
    headers: { ...(needsUpload ? {} : { 'Content-Type': 'application/json' }), ...headersOf(who) },
    body: needsUpload ? form : body,
  });
  const { data, errors } = (await response.json()) as Answer;
  const outcome = refusalIn(errors) ?? outcomeOf(response.status);
  if (outcome !== 'in' && Object.values(data ?? {}).some((value) => value !== null)) {
    throw new Error(`refused, and answered: ${document}`);
  }
  return outcome;
}

interface Answer {
  data?: object | null;
  errors?: ReadonlyArray<{ extensions?: { code?: unknown } }>;
}

function refusalIn(errors: Answer['errors'] = []): 401 | 403 | undefined {
  const codes = errors.map(({ extensions }) => extensions?.code);
  if (codes.includes('UNAUTHENTICATED')) return 401;
  return codes.includes('FORBIDDEN') ? 403 : undefined;
}

/** Refused, or open: nothing ever happens to the dumps that it is about, so an open one just stays so for a moment. */
async function overSse(app: TestApp, query: string, who: Who): Promise<Outcome> {
  const abort = new AbortController();
  const response = await asked(`${app.url}/graphql`, {
    method: 'POST',
    signal: abort.signal,
    headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json', ...headersOf(who) },
    body: JSON.stringify({ query }),
  });
  abort.abort();
  return outcomeOf(response.status);
}

/** Who is let in may subscribe to whatever the schema lets them: that is the cells above. */
async function overWebSocket(app: TestApp, { token, browser = {} }: Who): Promise<Outcome> {
  const client = createWebSocketClient({
    url: `${app.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: class extends WebSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols, { headers: browser });
      }
    },
    retryAttempts: 0,
    lazy: false,
    connectionParams: bearer(token),
    onNonLazyError: () => {},
  });
  try {
    return await new Promise((resolve) => {
      client.on('connected', () => resolve('in'));
      client.on('closed', (event) => {
        const { code, reason } = event as CloseEvent;
        // What has expired or ended is closed with 4403, so that clients come back with another.
        const isOver = /expired|ended/.test(reason);
        // 1006: the upgrade was refused, as that of another site's page is.
        resolve(code === 4401 || code === 1006 || isOver ? 401 : 403);
      });
    });
  } finally {
    await client.dispose();
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function hmac(claims: object, secret: string): string {
  const input = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
