import { chmod, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, errorOf, stored } from '../support/app.js';
import { fixture } from '../support/fixtures.js';

describe('download', () => {
  it('gives the raw bytes as an attachment that no browser interprets', async () => {
    const app = await aServer();
    await aDevice(app);
    const { coredumpId, filename } = await stored(app, '<script>alert(1)</script>');

    const response = await fetch(`${app.url}/api/coredumps/${encodeURIComponent(coredumpId)}/download`);

    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '25',
      'content-disposition': `attachment; filename="${filename}"`,
      'x-content-type-options': 'nosniff',
    });
    expect(await response.text()).toBe('<script>alert(1)</script>');
  });

  it('is where Coredump.downloadUrl points', async () => {
    const app = await aServer();
    await aDevice(app);
    const { coredumpId } = await stored(app, 'dump');
    const { coredump } = await app.graphql<{ coredump: { downloadUrl: string } }>(
      'query ($id: ID!) { coredump(id: $id) { downloadUrl } }',
      { id: coredumpId },
    );

    const response = await fetch(new URL(coredump.downloadUrl, app.url));

    expect(await response.text()).toBe('dump');
  });

  it('answers 304 to who has it already', async () => {
    const app = await aServer();
    await aDevice(app);
    const { coredumpId } = await stored(app, 'dump');
    const url = `${app.url}/api/coredumps/${encodeURIComponent(coredumpId)}/download`;
    const etag = (await fetch(url)).headers.get('etag') ?? '';

    expect((await fetch(url, { headers: { 'If-None-Match': etag } })).status).toBe(304);
    expect((await fetch(url, { headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
    expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe('4');
  });

  it('is 404 for a dump of another device, an unknown id and garbage', async () => {
    const app = await aServer();
    await aDevice(app);
    await aDevice(app, { key: 'dev2' });
    const { coredumpId } = await stored(app, 'dump');
    const id = encodeURIComponent(coredumpId);
    const status = async (path: string) => (await fetch(`${app.url}${path}`)).status;

    expect(await status(`/api/devices/dev1/coredumps/${id}/download`)).toBe(200);
    expect(await status(`/api/devices/dev2/coredumps/${id}/download`)).toBe(404);
    expect(await status(`/api/devices/nobody/coredumps/${id}/download`)).toBe(404);
    expect(await status(`/api/coredumps/${encodeURIComponent(btoa('Coredump:999'))}/download`)).toBe(404);
    expect(await status(`/api/coredumps/${encodeURIComponent(btoa('Device:1'))}/download`)).toBe(404);
    expect(await status('/api/coredumps/%E0%A4%A/download')).toBe(404);
    expect(await status('/api/coredumps/..%2f..%2fetc%2fpasswd/download')).toBe(404);
  });

  it('is 503, not 404, when the file cannot be had', async () => {
    const app = await aServer();
    await aDevice(app);
    const { coredumpId, filename } = await stored(app, 'dump');
    await rm(join(app.config.coredumpsDir, 'dev1', filename));

    const response = await fetch(`${app.url}/api/coredumps/${encodeURIComponent(coredumpId)}/download`);

    expect(await errorOf(response)).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(response.headers.get('retry-after')).not.toBeNull();
  });

  it.skipIf(process.getuid?.() === 0)('is 503 when the folder cannot be read', async () => {
    const app = await aServer();
    await aDevice(app);
    const { coredumpId } = await stored(app, 'dump');
    await chmod(join(app.config.coredumpsDir, 'dev1'), 0);

    const response = await fetch(`${app.url}/api/coredumps/${encodeURIComponent(coredumpId)}/download`);
    await chmod(join(app.config.coredumpsDir, 'dev1'), 0o755);

    expect(response.status).toBe(503);
  });
});

describe('core.elf', () => {
  it('is what GDB opens, with the rights of the raw bytes', async () => {
    const app = await aServer();
    await aDevice(app);
    const { coredumpId } = await stored(app, await readFile(fixture('thermostat-1.0.0').dump('abort')));
    const url = `${app.url}/api/coredumps/${encodeURIComponent(coredumpId)}/core.elf`;

    const response = await fetch(url);
    const bytes = Buffer.from(await response.arrayBuffer());

    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename=".+\.elf"$/);
    expect(bytes.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe(`${bytes.length}`);
  });

  it('is 409 for what is no dump, and says what it is', async () => {
    const app = await aServer();
    await aDevice(app);
    const { coredumpId } = await stored(app, '<html></html>');

    const response = await fetch(`${app.url}/api/coredumps/${encodeURIComponent(coredumpId)}/core.elf`);

    expect(await errorOf(response)).toMatchObject({
      status: 409,
      message: expect.stringContaining('web page'),
    });
  });
});
