import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram } from '../support/program.js';
import { isRefusal, signInWith, signOut } from '../support/sign-in.js';

const TOKEN = 'Token of a viewer or admin';

describe.skipIf(!hasChromium)(`one session for all tabs${NEEDS_CHROMIUM}`, () => {
  it('opens every tab; its end locks every tab, and the next one continues where each was', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const one = await aBrowserPage(program.url, { path: '/firmware', tolerates: isRefusal });
    await one.getByLabel(TOKEN).waitFor();
    expect(await focusIn(one)).toBe('token');
    await signInWith(one, ADMIN);
    await live(one);

    const other = await one.context().newPage();
    await other.goto('/firmware');
    await live(other);
    await other.getByRole('button', { name: 'New model' }).click();
    await other.getByRole('textbox', { name: 'Code' }).fill('half_typed');
    await other.evaluate('window.isSamePage = true');

    await signOut(one);
    await one.getByLabel(TOKEN).waitFor();
    await other.getByText('Your session has ended.').waitFor();
    expect(await focusIn(other)).toBe('token');
    await other.keyboard.press('Escape');
    expect(await other.getByRole('textbox', { name: 'Code' }).count()).toBe(0);

    await signInWith(one, ADMIN);
    await other.getByRole('textbox', { name: 'Code' }).waitFor();
    expect(await other.getByRole('textbox', { name: 'Code' }).inputValue()).toBe('half_typed');
    expect(await other.evaluate('window.isSamePage')).toBe(true);
    await other.getByRole('textbox', { name: 'Name' }).fill('Half typed');
    await other.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
    await other.getByText('Half typed').first().waitFor();
    await live(other);
  });

  it('shows to another person nothing of what was in the tab', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const one = await aBrowserPage(program.url, { path: '/firmware', tolerates: isRefusal });
    await signInWith(one, ADMIN);
    const other = await one.context().newPage();
    await other.goto('/firmware');
    await other.getByRole('button', { name: 'New model' }).click();

    await signOut(one);
    await signInWith(one, VIEWER);

    await other.getByRole('dialog').waitFor({ state: 'detached' });
    await live(other);
    expect(await other.getByRole('button', { name: 'New model' }).count()).toBe(0);
  });

  it('is signed out everywhere from the account, and says who, what and until when', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const laptop = await aBrowserPage(program.url, { path: '/firmware', tolerates: isRefusal });
    const phone = await aBrowserPage(program.url, { path: '/firmware', tolerates: isRefusal });
    await signInWith(laptop, VIEWER);
    await signInWith(phone, VIEWER);
    await live(phone);

    await laptop.getByRole('button', { name: 'Account' }).click();
    await laptop
      .getByRole('dialog')
      .getByText(/^token [0-9a-f]{8}$/)
      .waitFor();
    await laptop.getByRole('dialog').getByText('viewer', { exact: true }).waitFor();
    await laptop.getByRole('dialog').getByText('and longer while you use it').waitFor();
    await laptop.getByRole('button', { name: 'Sign out everywhere' }).click();

    await laptop.getByLabel(TOKEN).waitFor();
    await phone.getByText('Your session has ended.').waitFor();
    await signInWith(phone, VIEWER);
    await live(phone);
  });

  it('is there for links of other sites: to the page, and to GraphiQL', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    // Another registrable name than that of the page with the links.
    const here = program.url.replace('127.0.0.1', 'localhost');
    const chat = await aPageWithLinks([`${here}/firmware`, `${here}/graphql?query=%7B__typename%7D`]);
    const page = await aBrowserPage(here, {
      path: '/firmware',
      tolerates: (complaint) => isRefusal(complaint) || complaint.startsWith(`asked ${chat}`),
    });
    await signInWith(page, VIEWER);
    await live(page);

    await page.goto(chat);
    await page.getByRole('link').first().click();
    await live(page);
    expect(page.url()).toBe(`${here}/firmware`);

    await page.goto(chat);
    await page.getByRole('link').last().click();
    await page.locator('.graphiql-container').first().waitFor();
    expect(page.url()).toBe(`${here}/graphql?query=%7B__typename%7D`);
  });

  it('says why a sign-in fails: a wrong token, too many of them, no server', async () => {
    const environment = { ...STATIC_TOKENS, AUTH_FAILURES_PER_MINUTE: '1' };
    const program = await aProgram('serve', { environment });
    const page = await aBrowserPage(program.url, {
      path: '/firmware',
      tolerates: (complaint) => /status of 4(01|29)|ERR_/.test(complaint),
    });

    await signInWith(page, 'wrong');
    await page.getByRole('alert').getByText('The token is not valid.').waitFor();
    await signInWith(page, VIEWER);
    await page
      .getByRole('alert')
      .getByText(/Too many wrong tokens .* Try again in \d+ seconds?\./)
      .waitFor();
    await page.route('**/api/session', (route) => route.abort());
    await signInWith(page, VIEWER);
    await page.getByRole('alert').getByText('The server cannot be reached.').waitFor();
  });
});

async function live(page: Page): Promise<void> {
  await page.getByText('Live', { exact: true }).waitFor();
}

function focusIn(page: Page): Promise<unknown> {
  return page.evaluate('document.activeElement?.name');
}

/** Such as a chat, where an alert has been sent. @returns its address */
async function aPageWithLinks(links: readonly string[]): Promise<string> {
  const html = links.map((link) => `<a href="${link}">${link}</a>`).join(' ');
  const server = createServer((_, response) =>
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<link rel="icon" href="data:,">${html}`),
  ).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
