import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { aDevice } from '../support/app.js';
import { complaintsOfAxe } from '../support/axe.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, crash, readCrash } from '../support/crashed-program.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';

describe.skipIf(!hasChromium)(`the page of a release${NEEDS_CHROMIUM}`, () => {
  it('judges a version against the one before, and is honest about what nobody knows', async () => {
    const program = await aProgramWithDevice();
    await uploadFirmware(program, { elf: await readFile(fixture('thermostat-1.1.0').elfPath) });
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.1.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });

    await page.getByRole('link', { name: '1.1.0', exact: true }).click();
    await page.getByRole('heading', { name: 'Not known' }).waitFor();
    await page.getByText('Boot reports tell how many devices run a version.').waitFor();
    const row = (name: string) => page.getByRole('row').filter({ hasText: name });
    expect(await row('Crash-free devices').innerText()).toContain('not known');
    expect(await row('Running it now').innerText()).toMatch(/not known\s+not known/);
    await page.getByRole('region', { name: 'Still there' }).getByText('abort in').waitFor();
    await page.getByRole('region', { name: 'Not seen so far' }).getByText('assert failed in').waitFor();

    const boot = new URLSearchParams({ device_key: 'dev1', firmware_version: '1.1.0' });
    await fetch(`${program.url}/api/iot/boot?${boot}`, { method: 'POST' });
    await crash(program, 'thermostat-1.1.0', 'null-pointer');

    // Live: without a reload.
    await page.getByRole('region', { name: 'New' }).getByText('sensor').first().waitFor();
    await expect.poll(() => row('Crash-free devices').innerText()).toContain('0.0 %');
    await page.getByLabel('Compared with').waitFor();
    expect(await complaintsOfAxe(page)).toEqual([]);
  });

  it('leads to the dumps of the version that wait for a build, and to no others', async () => {
    const program = await aProgramWithDevice();
    await aDevice(program as never, { key: 'gate1', modelCode: 'gateway' });
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.1.0', 'abort');
    await readCrash(program, 'gateway-0.3.0', 'abort', 'gate1', '1.1.0');
    const page = await aBrowserPage(program.url, { path: '/release/thermostat/1.1.0' });

    await page.getByRole('link', { name: '1 dump waiting for a build' }).click();

    await page.getByRole('heading', { level: 1, name: 'Dumps' }).waitFor();
    await page.getByText('1 dump', { exact: true }).waitFor();
    await page.getByRole('row').filter({ hasText: 'dev1' }).waitFor();
  });

  it('shows why devices were reset, whose crashes sent no dump, and which are silent', async () => {
    const program = await aProgramWithDevice();
    const report = (device: string, version: string, reason: string, uptime: number) =>
      fetch(
        `${program.url}/api/iot/boot?${new URLSearchParams({
          ...{ device_key: device, firmware_version: version, chip: 'esp32c3' },
          ...{ reset_reason: reason, uptime_s: String(uptime) },
        })}`,
        { method: 'POST' },
      );
    await aDevice(program as never, { key: 'dev2' });
    await report('dev1', '1.0.0', 'poweron', 0);
    await report('dev1', '1.0.0', 'brownout', 7_200);
    await report('dev1', '1.1.0', 'sw', 600);
    await report('dev1', '1.1.0', 'int_wdt', 60);
    await report('dev2', '1.1.0', 'poweron', 0);
    const page = await aBrowserPage(program.url, { path: '/release/thermostat/1.1.0' });
    const row = (name: string) => page.getByRole('row').filter({ hasText: name });

    await page.getByRole('heading', { name: 'Resets' }).waitFor();
    expect(await row('interrupt watchdog').first().innerText()).toMatch(/a crash\s+500\s+1\s+0.0\s+0/);
    expect(await row('brownout').first().innerText()).toMatch(/the power supply\s+0.0\s+0\s+333\s+1/);
    expect(await row('Crash-free sessions').innerText()).toMatch(/0.00 % of 1\s+100.00 % of 2/);
    expect(await row('Crash-free devices').innerText()).toMatch(/50.0 %\s+100.0 %/);
    expect(await row('Crashes without a dump').innerText()).toMatch(/1\s+0/);
    expect(await complaintsOfAxe(page)).toEqual([]);

    await page.goto('/');
    await page.getByRole('link', { name: /1\s*Crashes without a dump/ }).click();
    await page.getByText('1 device', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'dev1' }).click();

    const timeline = page.getByRole('region', { name: 'Timeline' });
    await timeline.getByRole('listitem').first().waitFor();
    const day = timeline.getByRole('listitem').filter({ hasText: 'Started' });
    expect(await day.innerText()).toContain('4 boots: ');
    for (const part of ['power on', 'brownout', 'restart by the program', 'interrupt watchdog', '1.1.0'])
      expect(await day.innerText()).toContain(part);
    await page.getByText('after: interrupt watchdog').waitFor();
    expect(await complaintsOfAxe(page)).toEqual([]);
  });
});
