import { readFile } from 'node:fs/promises';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { complaintsOfAxe } from '../support/axe.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { fixture } from '../support/fixtures.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram, type Program } from '../support/program.js';
import { asAdmin, isRefusal, signInWith } from '../support/sign-in.js';

/** A program with authentication, and the id of the group of one crash. */
async function aGroup(): Promise<{ program: Program; id: string }> {
  const program = await aProgram('start', { environment: STATIC_TOKENS });
  const { createDevice } = await asAdmin<{ createDevice: { token: string } }>(
    program,
    `mutation {
       createDeviceModel(input: { code: "thermostat", name: "Thermostat" }) { deviceModel { id } }
       createDevice(input: { modelCode: "thermostat", key: "dev1" }) { token }
     }`,
  );
  const { version, dump } = fixture('thermostat-1.0.0');
  const upload = await fetch(`${program.url}/api/iot/coredump?chip=esp32c3&firmware_version=${version}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${createDevice.token}` },
    body: await readFile(dump('abort')),
  });
  expect(upload.status).toBe(201);
  const groups = async () =>
    (
      await asAdmin<{ crashGroups: { nodes: { id: string }[] } }>(
        program,
        '{ crashGroups(first: 1) { nodes { id } } }',
      )
    ).crashGroups.nodes;
  await expect.poll(groups, { timeout: 60_000 }).toHaveLength(1);
  return { program, id: (await groups())[0]?.id ?? '' };
}

describe.skipIf(!hasChromium)(`the activity of a group on its page${NEEDS_CHROMIUM}`, () => {
  it('has the comments of viewers, at once in the tabs of others, and what a bulk change and its undo did', async () => {
    const { program, id } = await aGroup();
    const path = `/groups/${encodeURIComponent(id)}`;
    const ofViewer = await aBrowserPage(program.url, { path, tolerates: isRefusal });
    await signInWith(ofViewer, VIEWER);
    const ofAdmin = await aBrowserPage(program.url, { path, tolerates: isRefusal });
    await signInWith(ofAdmin, ADMIN);
    const seen = ofAdmin.getByRole('region', { name: 'Activity' });
    await seen.getByText('First crash').waitFor();
    await ofAdmin.getByText('Live', { exact: true }).waitFor();

    const said = ofViewer.getByRole('region', { name: 'Activity' });
    await said.getByText('First crash').waitFor();
    await ofViewer.keyboard.press('c');
    await ofViewer.keyboard.type('Only <b>here</b>, see https://tickets.example/7.');
    await ofViewer.keyboard.press('Control+Enter');

    const link = seen.getByRole('link', { name: 'https://tickets.example/7', exact: true });
    await link.waitFor();
    expect(await link.getAttribute('rel')).toContain('noopener');
    await seen.getByText('Only <b>here</b>, see').waitFor();
    expect(await seen.getByRole('button', { name: 'Edit' }).count()).toBe(0);
    expect(await ofViewer.getByRole('button', { name: 'Resolve' }).count()).toBe(0);
    await said.getByRole('button', { name: 'Edit' }).click();
    await said.getByLabel('Your comment').fill('Only there.');
    await said.getByRole('button', { name: 'Save' }).click();
    await seen.getByText('Only there.').waitFor();

    await ofAdmin.keyboard.press('i');
    await ofAdmin.getByLabel('For a number of further crashes').check();
    await ofAdmin.getByLabel('Crashes', { exact: true }).fill('12');
    await ofAdmin.getByRole('dialog').getByRole('button', { name: 'Ignore' }).click();
    await ofViewer.locator('.dump-line').getByText('for 12 more crashes').waitFor();
    await said.getByText('ignored it for 12 more crashes').waitFor();

    const { changeCrashGroups } = await asAdmin<{ changeCrashGroups: { undo: string[] } }>(
      program,
      `mutation ($id: ID!) { changeCrashGroups(input: { groupIds: [$id], state: RESOLVED, assignee: "ada" }) { undo } }`,
      { id },
    );
    await said.getByText('assigned it to ada').waitFor();
    await asAdmin(
      program,
      `mutation ($undo: [String!]!) { restoreCrashGroups(input: { groups: $undo }) { refused { reason } } }`,
      { undo: changeCrashGroups.undo },
    );
    await said.getByText('assigned it to nobody').waitFor();
    await ofViewer.locator('.dump-line').getByText('for 12 more crashes').waitFor();

    expect(await complaintsOfAxe(ofAdmin)).toEqual([]);
    await seen.getByRole('button', { name: 'Delete' }).click();
    await ofAdmin.getByRole('button', { name: 'Delete comment' }).click();
    await said.getByText('Only there.').waitFor({ state: 'hidden' });
  });

  it('keeps the keyboard where it was, when a button goes away by what it did', async () => {
    const { program, id } = await aGroup();
    const path = `/groups/${encodeURIComponent(id)}`;
    const page = await aBrowserPage(program.url, { path, tolerates: isRefusal });
    await signInWith(page, ADMIN);
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    const press = async (within: Locator, name: string) => {
      await within.getByRole('button', { name, exact: true }).focus();
      await page.keyboard.press('Enter');
    };
    const activity = page.getByRole('region', { name: 'Activity' });

    await press(page.locator('.dump-head .actions'), 'Ignore');
    await press(page.getByRole('dialog'), 'Ignore');
    await expect.poll(focused).toBe('Reopen');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toBe('Resolve');

    await page.keyboard.press('c');
    await page.keyboard.type('Seen in the lab.');
    await press(activity, 'Comment');
    await activity.getByText('Seen in the lab.').waitFor();
    await expect.poll(focused).toBe('Comment');
    await press(activity, 'Edit');
    await page.keyboard.press('End');
    await page.keyboard.type(' Twice.');
    await page.keyboard.press('Control+Enter');
    await activity.getByText('Seen in the lab. Twice.').waitFor();
    await expect.poll(focused).toBe('Edit');
    await press(activity, 'Delete');
    await page.keyboard.press('Escape');
    await expect.poll(focused).toBe('Delete');
    await page.keyboard.press('Enter');
    await press(page.getByRole('dialog'), 'Delete comment');
    await activity.getByText('Seen in the lab.').waitFor({ state: 'detached' });
    await expect.poll(focused).toBe('Comment');
  });
});
