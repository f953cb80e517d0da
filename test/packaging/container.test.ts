import { readdir, readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { aDevice, bearer, eventually, stored } from '../support/app.js';
import { buildImage, CAN_BUILD_IMAGES, type Image } from '../support/container.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { aFreePort } from '../support/http.js';

/** Making the base fetches Debian once; on a busy machine that takes minutes. */
const BUILD_LIMIT_MS = 600_000;

describe.skipIf(!CAN_BUILD_IMAGES)('the image (needs root, buildah and debootstrap)', () => {
  let image: Image;

  beforeAll(async () => {
    image = await buildImage();
  }, BUILD_LIMIT_MS);
  afterAll(async () => image?.remove(), BUILD_LIMIT_MS);

  it('says what it is, and how it is run and watched', () => {
    expect(image.config).toMatchObject({
      User: 'node',
      WorkingDir: '/data',
      Volumes: { '/data': {} },
      ExposedPorts: { '4000/tcp': {} },
      Entrypoint: ['coredock'],
      Cmd: ['start'],
      StopSignal: 'SIGTERM',
      Healthcheck: { Test: ['CMD', 'coredock', 'healthcheck'] },
      Labels: {
        'org.opencontainers.image.title': 'Coredock',
        'org.opencontainers.image.licenses': 'MIT',
        'org.opencontainers.image.version': '1.2.3',
        'org.opencontainers.image.revision': '0123abc',
      },
    });
  });

  it('has at most 300 MB', () => {
    expect(image.megabytes).toBeGreaterThan(image.baseMegabytes);
    expect(image.megabytes).toBeLessThanOrEqual(300);
  });

  it('has no file of the program or of the system that its user may change', async () => {
    const writable = await image.run(['find', '/opt', '/usr', '/etc', '-writable', '-not', '-type', 'l']);

    expect(writable).toEqual({ code: 0, output: '' });
    expect(await image.run(['find', '/data', '-writable'])).toEqual({ code: 0, output: '/data\n' });
  });

  it('does not start where everybody could do everything, and says what to do', async () => {
    const { code, output } = await image.run(['coredock', 'start']);

    expect(code).toBe(1);
    expect(output).toMatch(/^coredock: HOST: "0\.0\.0\.0" can be reached from other machines/);
  });

  it('turns a crash into a report as an ordinary user on a read-only system, and stops when it is told', async () => {
    const [token = '', digest = ''] = (await image.run(['coredock', 'token'])).output.split('\n');
    const environment = { PORT: String(await aFreePort()), ADMIN_TOKENS: digest };
    const healthcheck = () => image.run(image.config.Healthcheck.Test.slice(1), environment);
    expect(await healthcheck()).toMatchObject({ code: 1 });

    const container = await image.start(environment);
    onTestFinished(() => {
      try {
        process.kill(container.pid, 'SIGKILL');
      } catch {
        // It has stopped.
      }
    });
    await eventually(async () => container.output().includes('Coredock is up'), 'the container is up');
    expect(await healthcheck()).toEqual({ code: 0, output: 'ready\n' });
    const status = await readFile(`/proc/${container.pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t1000\t/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NSpid:\t\d+\t1$/m);

    const program = anAdmin(`http://127.0.0.1:${environment.PORT}`, token);
    const device = await aDevice(program as never);
    const thermostat = fixture('thermostat-1.0.0');
    await uploadFirmware(program, { elf: await readFile(thermostat.elfPath), headers: bearer(token) });
    const { coredumpId } = await stored(program, await readFile(thermostat.dump('null-pointer')), {
      headers: bearer(device.token),
    });
    const QUERY = 'query ($id: ID!) { coredump(id: $id) { parseStatus report { reason } } }';
    const parsed = await eventually(async () => {
      const { coredump } = await program.graphql<{
        coredump: { parseStatus: string; report: { reason: string } | null };
      }>(QUERY, { id: coredumpId });
      return coredump.parseStatus === 'PENDING' ? null : coredump;
    }, 'the dump is read');

    expect(parsed).toMatchObject({ parseStatus: 'PARSED', report: { reason: expect.stringMatching(/\w/) } });
    expect(await readdir(container.data)).toEqual(expect.arrayContaining(['coredock.db', 'coredumps']));
    expect((await stat(`${container.data}/coredock.db`)).uid).toBe(1000);
    expect(await container.stop()).toBe(0);
    expect(container.output()).toContain('"msg":"stopped"');
    expect(await healthcheck()).toMatchObject({ code: 1 });
  });
});

function anAdmin(url: string, token: string) {
  return {
    url,
    async graphql<Data>(query: string, variables: object = {}): Promise<Data> {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...bearer(token) },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      return data;
    },
  };
}
