import type { Page, Route } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { ADMIN, STATIC_TOKENS, UPLOADER, VIEWER, WITH_UPLOADER } from '../support/people.js';
import { aProgram } from '../support/program.js';
import { aPageIssuer, asAdmin, signInAt, signInWith, signOut } from '../support/sign-in.js';

const CONFIG = /\/api\/config(\?|$)/;

describe.skipIf(!hasChromium)(`what the page knows of who uses it${NEEDS_CHROMIUM}`, () => {
  it('stays while the server does not answer, and is asked again until it does', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    await asAdmin(
      program,
      'mutation { createDeviceModel(input: { code: "thermostat", name: "Thermostat" }) { deviceModel { id } } }',
    );
    await asAdmin(
      program,
      'mutation { createDevice(input: { modelCode: "thermostat", key: "dev1" }) { token } }',
    );
    const page = await aBrowserPage(program.url, { path: '/devices/dev1', tolerates: isFailure });
    await signInWith(page, ADMIN);
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Half a na');

    const network = await aNetwork(page);
    network.fail();
    // As another tab does that has signed in or out.
    await page.evaluate('new BroadcastChannel("coredock").postMessage("changed")');
    await expect.poll(network.failed, { timeout: 60_000 }).toBeGreaterThan(1);

    // Not only shown again: never gone, or what was typed would be.
    expect(await page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('Half a na');
    await network.heal();
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { level: 1, name: 'Half a na' }).waitFor();
  });

  it('is of nobody else: after a change of person nothing is shown before the answer to the new one', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const page = await aBrowserPage(program.url, { path: '/firmware' });
    await signInWith(page, ADMIN);
    await page.getByRole('button', { name: 'New model' }).waitFor();

    await signOut(page);
    await page.getByLabel('Token of a viewer or admin').waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
    const network = await aNetwork(page, /\/api\/session$/);
    const asViewer = network.hold();
    await signInWith(page, VIEWER);
    const answer = await asViewer;
    expect(await page.getByRole('navigation').count()).toBe(0);
    await answer.continue();

    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    expect(await page.getByRole('button', { name: 'New model' }).count()).toBe(0);
  });

  it('is waited for with a notice where the first question fails, and then shown without a reload', async () => {
    const program = await aProgram('serve');
    const page = await aBrowserPage(program.url, { path: '/firmware', tolerates: isFailure });
    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    const network = await aNetwork(page);

    network.fail();
    await page.reload();
    await page.getByRole('alert').getByText('The page tries again automatically.').waitFor();
    await network.heal();

    await page.getByRole('button', { name: 'New model' }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('is, of an uploader, what such a token is for, and no page that is full of refusals', async () => {
    const program = await aProgram('serve', { environment: WITH_UPLOADER });
    const page = await aBrowserPage(program.url, { path: '/dumps' });

    await signInWith(page, UPLOADER);

    await page.getByRole('heading', { name: 'This token uploads firmware' }).waitFor();
    await page.getByText(`--url ${program.url}`).waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await signInWith(page, VIEWER);
    await page.getByRole('navigation').waitFor();
  });

  it('is, of somebody without a role, what must be done about it', async () => {
    const { issuer, environment } = await aPageIssuer();
    const program = await aProgram('serve', { environment: { ...environment, OIDC_ROLES_CLAIM: 'groups' } });
    const page = await aBrowserPage(program.url, {
      path: '/',
      tolerates: (complaint) => /asked http|Failed to load resource|fonts/.test(complaint),
    });

    await page.getByRole('button', { name: `Sign in with ${new URL(issuer).host}` }).click();
    await signInAt(page, 'ada');

    await page.getByText('you have no role here').waitFor();
    await page.getByRole('button', { name: `Sign in with ${new URL(issuer).host}` }).waitFor();
  });
});

/** What lies between the page and an address of the server. */
async function aNetwork(page: Page, address = CONFIG) {
  let failed = 0;
  let isBroken = false;
  let holder: ((route: Route) => void) | null = null;
  await page.route(address, async (route) => {
    if (isBroken) {
      failed += 1;
      return route.abort();
    }
    if (holder === null) return route.continue();
    holder(route);
    holder = null;
  });
  return {
    fail: () => {
      isBroken = true;
    },
    failed: () => failed,
    heal: () => page.unroute(address),
    /** The next question, which gets no answer before it is continued. */
    hold: () =>
      new Promise<Route>((resolve) => {
        holder = resolve;
      }),
  };
}

/** What Chromium writes to the console of a request without an answer. */
function isFailure(complaint: string): boolean {
  return complaint.includes('ERR_FAILED');
}
