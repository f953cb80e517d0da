import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/app.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { type CrashOf, fixture } from '../support/fixtures.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram, type Program } from '../support/program.js';
import { aPageIssuer, asAdmin, isRefusal, signInAt, signInWith, signOut } from '../support/sign-in.js';

/** Each page twice, on a machine where other tests run. */
const MANY_PAGES_MS = 600_000;

describe.skipIf(!hasChromium)(`signing in to the page${NEEDS_CHROMIUM}`, () => {
  it('by token: nothing is shown before, everything works after, also live, uploads and downloads', async () => {
    const program = await aProgram('start', { environment: STATIC_TOKENS });
    await prepare(program);
    const page = await aBrowserPage(program.url, { path: '/dumps', tolerates: isRefusal });
    await page.getByLabel('Token of a viewer or admin').fill('wrong');
    await page.getByRole('button', { name: 'Sign in with the token' }).click();
    await page.getByRole('alert').getByText('The token is not valid.').waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);

    await page.getByLabel('Token of a viewer or admin').fill(ADMIN);
    await page.getByRole('button', { name: 'Sign in with the token' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.goto('/firmware/thermostat');
    await page.getByLabel('Upload a build').setInputFiles(fixture('thermostat-1.0.0').elfPath);
    await page.getByText('is version 1.0.0').waitFor();
    await page.goto('/dumps');
    await page.getByText('Live', { exact: true }).waitFor();
    await crashByToken(program);
    await page.getByRole('link', { name: /network_handle_reply/ }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    const bytes = await buffer(await download.createReadStream());
    expect(bytes.equals(await readFile(fixture('thermostat-1.0.0').dump('abort')))).toBe(true);

    await signOut(page);
    await page.getByLabel('Token of a viewer or admin').waitFor();
    await page.reload();
    await page.getByLabel('Token of a viewer or admin').waitFor();
  });

  it(
    'shows a viewer what is there, and to admins what they may do with it',
    async () => {
      const program = await aProgram('start', { environment: STATIC_TOKENS });
      await prepare(program);
      const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });
      await signInWith(page, ADMIN);
      await page.getByLabel('Upload a build').setInputFiles(fixture('thermostat-1.0.0').elfPath);
      await page.getByText('is version 1.0.0').waitFor();
      const crashes = await threeCrashes(program);
      const pages = Object.entries(buttonsOf(crashes));

      for (const [path, names] of pages) {
        await page.goto(program.url + path);
        for (const name of names) await page.getByRole('button', { name, exact: true }).first().waitFor();
      }
      await signOut(page);
      await signInWith(page, VIEWER);
      await page.getByText('Live', { exact: true }).waitFor();

      for (const [path, names] of pages) {
        await page.goto(program.url + path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        for (const name of names)
          expect(await page.getByRole('button', { name, exact: true }).count(), name).toBe(0);
        expect(await page.getByLabel('Upload a build').count()).toBe(0);
      }
      const download = page.getByRole('link', { name: 'Download' });
      await page.goto(`/dumps/${encodeURIComponent(crashes.dumpId)}`);
      await download.waitFor();
      await asAdmin(
        program,
        'mutation { setModelPrivacy(input: { modelCode: "thermostat", rawForAdminsOnly: true }) { deviceModel { id } } }',
      );
      await page.reload();
      await page.getByText('Crashed task').first().waitFor();
      expect(await download.count()).toBe(0);
    },
    MANY_PAGES_MS,
  );

  it('at the issuer, by authorization code with PKCE, back to where one was, with no token left in the tab', async () => {
    const { issuer, environment } = await aPageIssuer();
    const program = await aProgram('serve', { environment: { ...environment, ...STATIC_TOKENS } });
    await prepare(program);
    const page = await aBrowserPage(program.url, {
      path: '/devices/dev1',
      // The issuer is another host, and its own forms ask for a font of yet another.
      tolerates: (complaint) =>
        isRefusal(complaint) || /asked http|Failed to load resource|fonts/.test(complaint),
    });

    await page.getByRole('button', { name: `Sign in with ${new URL(issuer).host}` }).click();
    await signInAt(page, 'ada');

    await page.getByRole('heading', { level: 1, name: 'dev1' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/devices/dev1');
    const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
    // A JWT begins so.
    expect(kept).not.toContain('eyJ');
    expect(kept).not.toContain('sign-in');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('By Ada');
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { level: 1, name: 'By Ada' }).waitFor();
  });

  it('at an issuer that gives out its tokens on another origin', async () => {
    const { issuer, environment } = await aPageIssuer({ isSplit: true });
    const program = await aProgram('serve', { environment });
    const page = await aBrowserPage(program.url, {
      path: '/firmware',
      tolerates: (complaint) => /asked http|Failed to load resource: net|status of 404|fonts/.test(complaint),
    });

    await page.getByRole('button', { name: `Sign in with ${new URL(issuer).host}` }).click();
    await signInAt(page, 'ada');

    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
  });

  it('at the issuer, to the page below the path of PUBLIC_URL, and back', async () => {
    const { issuer, environment } = await aPageIssuer({ basePath: '/coredock' });
    const program = await aProgram('serve', { environment });
    const page = await aBrowserPage(program.url, {
      path: '/coredock/firmware',
      tolerates: (complaint) => /asked http|Failed to load resource|fonts/.test(complaint),
    });

    await page.getByRole('button', { name: `Sign in with ${new URL(issuer).host}` }).click();
    await signInAt(page, 'ada');

    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/coredock/firmware');
    expect(await page.getByRole('link', { name: 'Dumps', exact: true }).getAttribute('href')).toBe(
      '/coredock/dumps',
    );
  });

  it('refuses an answer that is not the one to its own question', async () => {
    const { environment } = await aPageIssuer();
    const program = await aProgram('serve', { environment });

    const page = await aBrowserPage(program.url, {
      path: '/sign-in/callback?code=stolen&state=guessed',
      tolerates: (complaint) => /asked http/.test(complaint),
    });

    await page.getByRole('alert').getByText('This sign-in did not start in this tab.').waitFor();
  });
});

const deviceTokens = new WeakMap<Program, string>();

/** A model and a device, made by the admin. */
async function prepare(program: Program): Promise<void> {
  await asAdmin(
    program,
    'mutation { createDeviceModel(input: { code: "thermostat", name: "Thermostat" }) { deviceModel { id } } }',
  );
  const { createDevice } = await asAdmin<{ createDevice: { token: string } }>(
    program,
    'mutation { createDevice(input: { modelCode: "thermostat", key: "dev1" }) { token } }',
  );
  deviceTokens.set(program, createDevice.token);
}

async function crashByToken(program: Program, how: CrashOf<'thermostat-1.0.0'> = 'abort'): Promise<void> {
  const response = await fetch(`${program.url}/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${deviceTokens.get(program)}` },
    body: new Uint8Array(await readFile(fixture('thermostat-1.0.0').dump(how))),
  });
  expect(response.status).toBe(201);
}

/** What only admins may do, page by page. */
function buttonsOf({ dumpId, merged, ignored }: Crashes): Record<string, string[]> {
  return {
    '/devices': ['New device'],
    '/devices/dev1': ['Rename', 'New token', 'Revoke tokens', 'Delete'],
    '/firmware': ['New model'],
    '/firmware/thermostat': ['Delete 1.0.0', 'Change'],
    [`/dumps/${encodeURIComponent(dumpId)}`]: ['Parse again', 'Delete'],
    [`/groups/${encodeURIComponent(merged)}`]: ['Resolve', 'Ignore', 'Merge', 'Edit', 'Split off'],
    [`/groups/${encodeURIComponent(ignored)}`]: ['Reopen', 'Merge', 'Edit'],
  };
}

interface Crashes {
  dumpId: string;
  /** Ids of groups. */
  merged: string;
  ignored: string;
}

/** Dumps that have been read: two of them in one group, and a third of which nobody wants to know. */
async function threeCrashes(program: Program): Promise<Crashes> {
  for (const how of ['abort', 'assert', 'null-pointer'] as const) await crashByToken(program, how);
  interface Dump {
    id: string;
    crashGroup: { id: string };
  }
  const [one, two, three] = await eventually(async () => {
    const { coredumps } = await asAdmin<{ coredumps: { nodes: Dump[] } }>(
      program,
      '{ coredumps(filter: { parseStatus: [PARSED] }) { nodes { id crashGroup { id } } } }',
    );
    return coredumps.nodes.length === 3 && coredumps.nodes;
  }, 'three dumps that were read');
  const [merged, other, ignored] = [one, two, three].map((dump) => dump?.crashGroup.id ?? '');
  await asAdmin(
    program,
    `mutation ($into: ID!, $ids: [ID!]!, $ignored: ID!) {
       mergeCrashGroups(input: { intoId: $into, ids: $ids }) { crashGroup { id } }
       ignoreCrashGroup(input: { id: $ignored }) { crashGroup { id } }
     }`,
    { into: merged, ids: [other], ignored },
  );
  return { dumpId: one?.id ?? '', merged: merged ?? '', ignored: ignored ?? '' };
}
