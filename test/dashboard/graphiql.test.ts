import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram } from '../support/program.js';

const TOKEN = 'Token of a viewer or admin';

describe.skipIf(!hasChromium)(`GraphiQL where authentication is on${NEEDS_CHROMIUM}`, () => {
  it('opens for who types a token into its form, and works with it', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const page = await aBrowserPage(program.url, { path: '/graphql', tolerates: isRefusal });

    await signIn(page, 'wrong');
    await page.getByRole('alert').getByText('The token is not valid.').waitFor();
    expect(await page.locator('.graphiql-container').count()).toBe(0);

    await signIn(page, ADMIN);
    await run(
      page,
      'mutation { createDeviceModel(input: { code: "pump", name: "Pump" }) { deviceModel { code } } }',
    );
    await answerWith(page, '"code": "pump"');
    await run(page, 'query { deviceModels { totalCount } }');
    await answerWith(page, '"totalCount": 1');
  });

  it('lets a viewer read, and follow what happens', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const page = await aBrowserPage(program.url, { path: '/graphql', tolerates: isRefusal });
    await signIn(page, VIEWER);

    await run(
      page,
      'mutation { createDeviceModel(input: { code: "pump", name: "Pump" }) { deviceModel { code } } }',
    );
    await answerWith(page, 'FORBIDDEN');
    await run(page, 'subscription { parseStatus { id } }');
    await page.getByRole('button', { name: /^Stop query/ }).waitFor();
    await page.getByRole('button', { name: /^Stop query/ }).click();
    await run(page, 'query { __typename }');
    await answerWith(page, '"__typename": "Query"');
  });

  it('begins with a tour: the first of its tabs says who I am', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const page = await aBrowserPage(program.url, { path: '/graphql', tolerates: isRefusal });
    await signIn(page, VIEWER);

    await page.getByRole('tab', { name: 'Viewer' }).click();
    await page.getByRole('button', { name: /^Execute query/ }).click();

    await answerWith(page, '"role": "VIEWER"');
    await page.getByRole('tab', { name: 'Triage' }).waitFor();
  });

  it('keeps the token nowhere, and a reload does not ask for it again', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const page = await aBrowserPage(program.url, { path: '/graphql', tolerates: isRefusal });
    await signIn(page, VIEWER);
    await run(page, 'query { __typename }');
    await answerWith(page, '"__typename": "Query"');

    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]));
    await page.goto('/graphql');

    expect(kept).not.toContain(VIEWER);
    await page.locator('.graphiql-container').first().waitFor();
    expect(await page.content()).not.toContain(VIEWER);
    await run(page, 'query { viewer { role } }');
    await answerWith(page, '"role": "VIEWER"');
  });
});

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel(TOKEN).fill(token);
  await page.getByRole('button', { name: 'Open GraphiQL' }).click();
}

/** The editor adds a bracket to a text that begins with one. */
async function run(page: Page, document: string): Promise<void> {
  const editor = page.locator('.graphiql-query-editor');
  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(document);
  await page.getByRole('button', { name: /^Execute query/ }).click();
}

async function answerWith(page: Page, text: string): Promise<void> {
  await page.locator('.result-window').getByText(text).first().waitFor();
}

/** A browser complains of each 401 and 403. */
function isRefusal(complaint: string): boolean {
  return /status of 40[13]/.test(complaint);
}
