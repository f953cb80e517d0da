import { createHmac } from 'node:crypto';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, crash, readCrash } from '../support/crashed-program.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram, type Program } from '../support/program.js';
import { aReceiver } from '../support/receiver.js';
import { asAdmin, isRefusal, signInWith, signOut } from '../support/sign-in.js';

/** The receivers of the tests are on this machine. */
const ALLOWED = { environment: { ALERTS_ALLOW_PRIVATE: 'true' } };
const ABORT = 'abort in network_handle_reply (network.c)';

describe.skipIf(!hasChromium)(`the pages of alerts${NEEDS_CHROMIUM}`, () => {
  it('teach what one is for, make one whose secret is shown this once, and send a test that it signs', async () => {
    const { url } = await aProgram('serve', ALLOWED);
    const { url: target, received } = await aReceiver();
    const page = await aBrowserPage(url, { path: '/alerts' });
    await page.getByRole('heading', { name: 'No alert yet' }).waitFor();
    expect(await page.getByText('Coredock-Signature').first().innerText()).toContain('"event":"NEW"');

    await page.getByRole('button', { name: 'New alert' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Night shift');
    await page.getByRole('combobox', { name: 'Format' }).selectOption('JSON');
    await page.getByRole('textbox', { name: 'Address' }).fill(target);
    await page.getByRole('button', { name: 'Create' }).click();
    const secret = await page.getByRole('dialog').locator('pre').innerText();
    await page.getByRole('button', { name: 'Open the alert to test it' }).click();
    await page.getByRole('heading', { level: 1, name: 'Night shift' }).waitFor();
    await page.getByRole('button', { name: 'Send a test' }).click();

    await page.getByText('The test was delivered: the target answered 200.').waitFor();
    await page.getByRole('row').filter({ hasText: 'Delivered' }).getByText('answered 200').waitFor();
    expect(await page.getByText(secret).count()).toBe(0);
    expect(await page.getByText('token=secret').count()).toBe(0);
    const [{ body, headers } = { body: '', headers: {} }] = received;
    expect(JSON.parse(body)).toMatchObject({ event: 'TEST' });
    const [, seconds, mac] = /^t=(\d+),v1=(.*)$/.exec(String(headers['coredock-signature'])) ?? [];
    expect(mac).toBe(createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'));
  });

  it('say why a test did not arrive', async () => {
    const program = await aProgram('serve');
    const { url: target } = await aReceiver();
    const id = await aRule(program, { url: target });
    const page = await aBrowserPage(program.url, { path: addressOf(id) });

    await page.getByRole('button', { name: 'Send a test' }).click();

    await page
      .getByRole('status')
      .getByText('The test was not delivered: 127.0.0.1 is not on the public')
      .waitFor();
    await page.getByRole('row').filter({ hasText: 'Failed' }).getByText('ALERTS_ALLOW_PRIVATE').waitFor();
  });

  it('change an alert, switch it off and on, and delete it when one is sure', async () => {
    const program = await aProgram('serve', ALLOWED);
    await program.graphql(
      'mutation { createDeviceModel(input: { code: "lamp", name: "Lamp" }) { deviceModel { id } } }',
    );
    const id = await aRule(program, { url: 'http://127.0.0.1:9/old' });
    const page = await aBrowserPage(program.url, { path: '/alerts' });
    await page
      .getByRole('row')
      .filter({ hasText: 'every crash' })
      .getByRole('link', { name: 'team' })
      .click();

    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('regressions').uncheck();
    await page.getByRole('spinbutton', { name: 'Spike' }).fill('25');
    await page.getByRole('combobox', { name: 'Model' }).selectOption('lamp');
    await page.getByRole('textbox', { name: 'New address' }).fill('http://localhost:9/new');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('new groups, 25 crashes in an hour').waitFor();
    await page.getByText('http://localhost:9/…').waitFor();
    await page.getByText('Lamp', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByText('It is switched off and sends nothing.').waitFor();
    await page.getByRole('button', { name: 'Switch on' }).click();
    await page.getByRole('button', { name: 'Switch off' }).waitFor();
    expect(await rulesOf(program)).toEqual([
      { id, enabled: true, onNew: true, onRegression: false, spikeCount: 25, model: { code: 'lamp' } },
    ]);

    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('button', { name: 'Delete alert' }).click();
    await page.getByRole('heading', { name: 'No alert yet' }).waitFor();
    expect(await rulesOf(program)).toEqual([]);
  });

  it('say in the server’s words what is wrong with an alert', async () => {
    const program = await aProgram('serve', ALLOWED);
    const id = await aRule(program, { url: 'http://127.0.0.1:9/hook' });
    const page = await aBrowserPage(program.url, { path: addressOf(id) });

    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('new groups').uncheck();
    await page.getByLabel('regressions').uncheck();
    await page.getByRole('button', { name: 'Save' }).click();

    await page.getByText('The rule would never send anything').waitFor();
    await page.getByRole('dialog', { name: 'Edit alert' }).waitFor();
  });

  it('are reached from a model and from a group, for it alone, and show what is told without a reload', async () => {
    const program = await aProgramWithDevice(ALLOWED);
    const { url: target } = await aReceiver();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/groups' });
    await page.getByRole('link', { name: ABORT }).click();
    await page.getByRole('link', { name: 'Alerts for this group' }).click();
    await create(page, { name: 'Of the group', target });
    await page.getByText(ABORT).waitFor();

    await page.goto('/firmware/thermostat');
    await page.getByRole('link', { name: 'alerts for this model' }).click();
    await page.getByRole('heading', { name: 'No alert yet' }).waitFor();
    await create(page, { name: 'Of the model', target });
    await page.getByText('thermostat', { exact: true }).waitFor();
    await page.getByText('none yet').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await crash(program, 'thermostat-1.0.0', 'assert');

    await page.getByRole('row').filter({ hasText: 'New group' }).getByText('Delivered').waitFor();
    await page.goto('/alerts');
    await page.getByText('2 alerts').waitFor();
  });

  it('are for admins: a viewer is not led there, and told so at their addresses', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const { createAlertRule } = await asAdmin<{ createAlertRule: { alertRule: { id: string } } }>(
      program,
      'mutation { createAlertRule(input: { name: "team", url: "https://example.org", format: SLACK }) { alertRule { id } } }',
    );
    const page = await aBrowserPage(program.url, { path: '/alerts', tolerates: isRefusal });
    await signInWith(page, VIEWER);
    await page.getByText('Live', { exact: true }).waitFor();

    for (const path of ['/alerts', addressOf(createAlertRule.alertRule.id)]) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1, name: 'This page is for admins' }).waitFor();
      expect(await page.getByText('team').count()).toBe(0);
    }
    expect(await page.getByRole('link', { name: 'Alerts' }).count()).toBe(0);
    await signOut(page);
    await signInWith(page, ADMIN);
    await page.getByRole('heading', { level: 1, name: 'team' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await page.getByText('1 alert', { exact: true }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'team' }).waitFor();
  });
});

/** By the page; it ends at the new rule's own. */
async function create(page: Page, { name, target }: { name: string; target: string }): Promise<void> {
  await page.getByRole('button', { name: 'New alert' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('textbox', { name: 'Address' }).fill(target);
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('button', { name: 'Open the alert to test it' }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

async function aRule(program: Program, { url }: { url: string }): Promise<string> {
  const { createAlertRule } = await program.graphql<{ createAlertRule: { alertRule: { id: string } } }>(
    'mutation ($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { alertRule { id } } }',
    { input: { name: 'team', url, format: 'GENERIC' } },
  );
  return createAlertRule.alertRule.id;
}

async function rulesOf(program: Program): Promise<object[]> {
  const { alertRules } = await program.graphql<{ alertRules: { nodes: object[] } }>(
    '{ alertRules { nodes { id enabled onNew onRegression spikeCount model { code } } } }',
  );
  return alertRules.nodes;
}

function addressOf(id: string): string {
  return `/alerts/${encodeURIComponent(id)}`;
}
