import { describe, expect, it } from 'vitest';
import { eventually } from '../support/app.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';
import { STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram, type Program } from '../support/program.js';
import { asAdmin, isRefusal, signInWith } from '../support/sign-in.js';

const CARD = { name: 'Data retention' };

describe.skipIf(!hasChromium)(`the privacy of a model${NEEDS_CHROMIUM}`, () => {
  it('is changed by admins, who are told before what will be removed when', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });
    await page.getByRole('region', CARD).getByText('as long as the dump', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByText('These settings remove nothing.').waitFor();
    await page.getByLabel('Days that they are kept').fill('30');
    await page.getByText('0 dumps that were uploaded 30 days ago or earlier').waitFor();
    await page.getByLabel('are removed as soon as they are parsed').check();
    await page.getByText('the raw bytes of 2 dumps that are already parsed').waitFor();
    expect(await isRawRemoved(program, coredumpId)).toBe(false);
    await page.getByRole('button', { name: 'Save and remove' }).click();

    await page.getByRole('region', CARD).getByText('until the dump is parsed, 30 days at most').waitFor();
    await eventually(() => isRawRemoved(program, coredumpId), 'the removal');
    await page.goto(`/dumps/${encodeURIComponent(coredumpId)}`);
    await page.getByText('as the model’s settings say').waitFor();
    expect(await page.getByRole('link', { name: 'Download' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Parse again' }).count()).toBe(0);
  });

  it('is taken back as it was set, and kept where somebody cancels', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    await program.graphql(
      'mutation { setModelPrivacy(input: { modelCode: "thermostat", keepRawDays: 7, rawForAdminsOnly: true }) { deviceModel { id } } }',
    );
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });
    const card = page.getByRole('region', CARD);
    await card.getByText('7 days at most').waitFor();

    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Days that they are kept').fill('');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await card.getByText('7 days at most').waitFor();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Days that they are kept').fill('');
    await page.getByLabel('by admins only').uncheck();
    await page.getByRole('button', { name: 'Save', exact: true }).click();

    await card.getByText('for viewers and admins').waitFor();
    await card.getByText('as long as the dump', { exact: true }).waitFor();
  });

  it('is shown to viewers, who cannot change it', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    await asAdmin(
      program,
      `mutation {
         createDeviceModel(input: { code: "lamp", name: "Lamp" }) { deviceModel { id } }
         setModelPrivacy(input: { modelCode: "lamp", keepRawDays: 7, rawForAdminsOnly: true }) { deviceModel { id } }
       }`,
    );
    const page = await aBrowserPage(program.url, { path: '/firmware/lamp', tolerates: isRefusal });

    await signInWith(page, VIEWER);

    const card = page.getByRole('region', CARD);
    await card.getByText('7 days at most').waitFor();
    await card.getByText('for admins only').waitFor();
    expect(await page.getByRole('button', { name: 'Change', exact: true }).count()).toBe(0);
  });
});

async function isRawRemoved(program: Program, id: string): Promise<boolean> {
  const { coredump } = await program.graphql<{ coredump: { rawRemovedAt: string | null } }>(
    'query ($id: ID!) { coredump(id: $id) { rawRemovedAt } }',
    { id },
  );
  return coredump.rawRemovedAt !== null;
}
