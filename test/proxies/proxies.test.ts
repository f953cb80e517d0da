import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aDevice, stored } from '../support/app.js';
import { type BehindProxies, startBehindProxies } from '../support/behind-proxies.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aFirmwareElf } from '../support/firmware.js';
import { type Program, run } from '../support/program.js';
import { missing, PROXIES, type ProxyName } from '../support/proxies.js';
import { CLIENT, type HttpVersion } from '../support/tls-client.js';

/**
 * Coredock behind the real proxies, configured by the text of docs/proxies.md. Idle streams: here the proxies close what is
 * silent for 16 seconds, instead of 60; `PROXY_IDLE_MS=130000` waits two minutes with the document's time-outs.
 */
const IDLE_MS = Number(process.env.PROXY_IDLE_MS ?? 20_000);
const TIMEOUT_SECONDS = IDLE_MS > 60_000 ? undefined : 16;

const VERSIONS: readonly HttpVersion[] = ['HTTP/1.1', 'HTTP/2'];
const EVENTS = 'subscription { crashEvents { type coredump { id } } }';
const FIRMWARE_BYTES = 3 * 1024 * 1024;

const here = PROXIES.filter((name) => missing(name) === '');
const idle: { name: string; since: number; stream: Stream }[] = [];
let all: BehindProxies;
let client: BehindProxies['client'];
let root: Program;
let below: Program;

interface Stream {
  received(): string;
  hasEnded(): boolean;
  close(): void;
}

beforeAll(async () => {
  if (here.length === 0) return;
  all = await startBehindProxies({ timeoutSeconds: TIMEOUT_SECONDS });
  ({ client, root, below } = all);
  await Promise.all([aDevice(root), aDevice(below)]);
  const { id } = await aDevice(root, { key: 'quiet' });
  const ofQuiet = `subscription { parseStatus(deviceId: "${id}") { id } }`;
  for (const name of here) {
    const url = urlOf(name);
    const follow = (label: string, stream: Stream) =>
      idle.push({ name: `${name}, ${label}`, since: Date.now(), stream });
    for (const version of VERSIONS) follow(version, await client.subscribe(version, url, ofQuiet));
    follow('WebSocket', await client.socket(url, ofQuiet, url));
  }
});

afterAll(async () => {
  for (const { stream } of idle) stream.close();
  await all?.close();
});

const urlOf = (name: ProxyName) => all.urlOf(name);
const belowOf = (name: ProxyName) => all.belowOf(name);
const dumpPath = (device = 'dev1') =>
  `/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=${device}`;

describe.each(PROXIES.map((name) => [`${name}${missing(name)}`, name] as const))('behind %s', (_, name) => {
  const isMissing = missing(name) !== '';
  const tried = it.skipIf(isMissing);

  tried.for(VERSIONS)('a device uploads, and its dump is downloaded as it was: %s', async (version) => {
    for (const url of [urlOf(name), belowOf(name)]) {
      const body = Buffer.from(`a dump over ${version} to ${url}`);

      const sent = await client.ask(version, url + dumpPath(), { method: 'POST', body });
      const { coredumpId } = JSON.parse(sent.body.toString()) as { coredumpId: string };
      const { coredump } = await client.graphql<{ coredump: { downloadUrl: string } }>(
        version,
        url,
        'query ($id: ID!) { coredump(id: $id) { downloadUrl } }',
        { id: coredumpId },
      );
      // It begins with PUBLIC_URL, which is nginx's.
      const { pathname, search } = new URL(coredump.downloadUrl);
      const download = await client.ask(version, new URL(url).origin + pathname + search);

      expect([sent.status, download.status]).toEqual([201, 200]);
      expect(pathname.startsWith(`${new URL(url).pathname.replace(/\/$/, '')}/api/`)).toBe(true);
      expect(download.body.equals(body)).toBe(true);
    }
  });

  tried.for(VERSIONS)('events arrive at once, the head of their stream too: %s', async (version) => {
    for (const url of [urlOf(name), belowOf(name)]) {
      const askedAt = Date.now();
      const events = await client.subscribe(version, url, EVENTS);
      expect(Date.now() - askedAt).toBeLessThan(5_000);
      expect([events.status, events.headers['content-type']]).toEqual([200, 'text/event-stream']);
      await expect.poll(events.received).toContain('READY');

      const { coredumpId } = await stored(
        name === 'nginx' && url === urlOf(name) ? root : url === urlOf(name) ? root : below,
        `${version} ${url}`,
      );

      // Far sooner than the next ping, which might push it out of a buffer.
      await expect.poll(events.received, { timeout: 5_000 }).toContain(coredumpId);
      events.close();
    }
  });

  tried('a page’s WebSocket gets events', async () => {
    for (const [url, program] of [
      [urlOf(name), root],
      [belowOf(name), below],
    ] as const) {
      const socket = await client.socket(url, EVENTS, new URL(url).origin);
      await expect.poll(socket.received).toContain('READY');

      const { coredumpId } = await stored(program, `for the WebSocket at ${url}`);

      await expect.poll(socket.received, { timeout: 5_000 }).toContain(coredumpId);
      socket.close();
    }
  });

  tried('CI uploads a firmware of some MiB', async () => {
    for (const url of [urlOf(name), belowOf(name)]) {
      const file = join(all.dir, 'firmware.elf');
      await writeFile(
        file,
        aFirmwareElf({ version: '2.0.0', note: 'x'.repeat(FIRMWARE_BYTES) + name + url }),
      );

      const { code, stderr } = await uploadedFirmware(file, url);

      expect({ code, stderr }).toMatchObject({ code: 0 });
    }
  });

  tried('the client is who sent the request, not the proxy', async () => {
    const code = `by_${name.toLowerCase()}`;
    for (const version of VERSIONS) {
      await client.graphql(
        version,
        urlOf(name),
        'mutation ($code: String!) { createDeviceModel(input: { code: $code, name: "x" }) { deviceModel { id } } }',
        { code: `${code}_${VERSIONS.indexOf(version)}` },
      );
    }

    const { auditEvents } = await root.graphql<{
      auditEvents: { nodes: { address: string; target: string }[] };
    }>('{ auditEvents(first: 20) { nodes { address target } } }');
    const own = auditEvents.nodes.filter(({ target }) => target?.startsWith(code));

    expect(own.map(({ address }) => address)).toEqual([CLIENT, CLIENT]);
  });

  tried('the page opens at the path alone, and longer names are not ours', async () => {
    const visit = (url: string) => client.ask('HTTP/1.1', url, { headers: { Accept: 'text/html' } });

    const first = await visit(belowOf(name));
    const { location } = first.headers;
    const page = location === undefined ? first : await visit(new URL(String(location), belowOf(name)).href);

    expect(page.status).toBe(200);
    expect(page.body.toString()).toContain('/coredock/assets/');
    // Coredock gives every answer an id.
    expect((await visit(`${belowOf(name)}-other`)).headers).not.toHaveProperty('x-request-id');
  });

  it.skipIf(isMissing || !hasChromium)(`the page works below a path${NEEDS_CHROMIUM}`, async () => {
    const { coredumpId } = await stored(below, `for the page behind ${name}`);
    const page = await aBrowserPage(belowOf(name), { ignoreHTTPSErrors: true, path: `${belowOf(name)}/` });
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Dumps', exact: true }).click();
    await page.getByRole('row').nth(1).waitFor();

    expect(page.url()).toBe(`${belowOf(name)}/dumps`);
    await page.goto(`${belowOf(name)}/dumps/${encodeURIComponent(coredumpId)}`);
    const saving = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    expect(await (await saving).failure()).toBeNull();
    await page.getByRole('link', { name: 'Devices', exact: true }).click();
    await page.getByRole('link', { name: 'dev1' }).click();
    expect(page.url()).toBe(`${belowOf(name)}/devices/dev1`);
    if (name !== 'nginx') return;
    // GraphiQL asks the address at which it is.
    await page.goto(`${belowOf(name)}/graphql?query={viewer{role}}`);
    await page.getByRole('button', { name: 'Execute query' }).click();
    await page.getByText('"ADMIN"').waitFor();
  });
});

describe('an idle stream', () => {
  it.skipIf(here.length === 0)(
    'stays open, and then gets its event',
    { timeout: IDLE_MS + 60_000 },
    async () => {
      await sleep(Math.max(0, IDLE_MS - (Date.now() - Math.max(...idle.map(({ since }) => since)))));

      const { coredumpId } = await stored(root, 'after the silence', { device: 'quiet' });

      for (const { name, stream } of idle) {
        await expect.poll(stream.received, { message: name, timeout: 5_000 }).toContain(coredumpId);
        expect([name, stream.hasEnded()]).toEqual([name, false]);
      }
    },
  );
});

describe.skipIf(missing('nginx') !== '')(`nginx as it comes${missing('nginx')}`, () => {
  let bare: string;

  beforeAll(async () => {
    const without = /^.*(client_max_body_size|Host \$host).*\n/gm;
    const port = Number(new URL(root.url).port);
    bare = await all.start('nginx as it comes', 'nginx', {
      port,
      change: (config) => config.replace(without, ''),
    });
  });

  it('refuses firmware, and the command says who does, and which setting mends it', async () => {
    const file = join(all.dir, 'refused.elf');
    await writeFile(file, aFirmwareElf({ version: '3.0.0', note: 'x'.repeat(FIRMWARE_BYTES) }));

    const { code, stderr } = await uploadedFirmware(file, bare);

    expect(code).toBe(1);
    expect(stderr).toMatch(/nginx.*413.*client_max_body_size/);
    expect(stderr).not.toContain('--url');
  });

  it.skipIf(!hasChromium)(
    `hides the page’s address, and the page names the setting${NEEDS_CHROMIUM}`,
    async () => {
      const page = await aBrowserPage(bare, {
        ignoreHTTPSErrors: true,
        tolerates: (complaint) => /WebSocket|403/.test(complaint),
      });

      const notice = page.getByRole('alert').filter({ hasText: 'PUBLIC_URL' });
      await notice.waitFor();

      expect(await notice.innerText()).toContain(bare);
      expect(root.log()).toContain('set PUBLIC_URL');
    },
  );
});

describe('a restart of the server', () => {
  it.skipIf(here.length === 0)('is over for everybody when it listens again', async () => {
    const page =
      hasChromium && here.includes('nginx')
        ? await aBrowserPage(urlOf('nginx'), {
            ignoreHTTPSErrors: true,
            tolerates: (complaint) => /50[234]|WebSocket|ERR_/.test(complaint),
          })
        : null;
    await page?.getByText('Live', { exact: true }).waitFor();

    await root.stop('SIGTERM');
    for (const name of here) {
      const { status } = await client.ask('HTTP/1.1', urlOf(name) + dumpPath(), {
        method: 'POST',
        body: 'x',
      });
      // A device keeps its dump and comes again.
      expect([name, status]).toEqual([
        name,
        expect.toSatisfy((code: number) => code === 502 || code === 503),
      ]);
    }
    await page?.getByText('Reconnecting').waitFor();
    await all.startAgain();

    for (const name of here) {
      await expect
        .poll(
          async () =>
            (await client.ask('HTTP/1.1', urlOf(name) + dumpPath(), { method: 'POST', body: name })).status,
        )
        .toBe(201);
    }
    await page?.getByText('Live', { exact: true }).waitFor();
  });
});

/** The command of the built program, which trusts the certificate. */
function uploadedFirmware(file: string, url: string) {
  return run(['firmware', 'upload', file, '--model', 'thermostat', '--url', url, '--retries', '0'], {
    environment: { NODE_EXTRA_CA_CERTS: all.certificate.pem },
  });
}
