import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { uploadFirmwareCommand } from '../../src/ci/upload-firmware.js';
import { aServerFor, GITHUB_JOB, GITLAB_JOB, jobToken } from '../support/ci-jobs.js';
import { fixture } from '../support/fixtures.js';
import { aJobTokenEndpoint } from '../support/job-token-endpoint.js';
import { ADMIN } from '../support/people.js';

const FILE = fixture('thermostat-1.0.0').elfPath;
const SHA = '4d3c2b1a0f9e8d7c6b5a49382716054f3e2d1c0b';

describe('coredock firmware upload in a job', () => {
  it('of GitHub asks for a token for the server, again at each attempt', async () => {
    const { app, issuer } = await aServerFor('github');
    const endpoint = await aJobTokenEndpoint(
      (audience) => jobToken(issuer, { ...GITHUB_JOB, aud: audience }),
      {
        failures: [503],
      },
    );

    const refused = await run(app.url, endpoint.environment);
    const { code, out, err } = await run(app.url, endpoint.environment, {
      audience: 'https://coredock.example.org',
      revision: SHA,
      format: 'json',
    });

    expect(refused.err).toContain('GitHub gave the job no token: it answered 503; trying again, 3 left');
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('its audience is not one that') });
    expect(endpoint.audiences).toEqual([app.url, 'https://coredock.example.org']);
    expect([code, err]).toEqual([0, '']);
    const { firmwareId } = JSON.parse(out) as { firmwareId: string };
    expect(JSON.parse(out)).toEqual({
      model: 'thermostat',
      version: '1.0.0',
      elfSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      firmwareId,
      warnings: [],
    });
    const { firmware } = await app.graphql<{ firmware: { revision: string } }>(
      'query ($id: ID!) { firmware(id: $id) { revision } }',
      { id: firmwareId },
    );
    expect(firmware.revision).toBe(SHA);
  });

  it('of GitLab takes the token that the job has', async () => {
    const { app, issuer } = await aServerFor('gitlab');
    const COREDOCK_ID_TOKEN = await jobToken(issuer, GITLAB_JOB);

    expect(await run(app.url, { COREDOCK_ID_TOKEN })).toMatchObject({ code: 0, err: '' });
    expect(await run(app.url, { COREDOCK_ID_TOKEN }, { oidc: true })).toMatchObject({ code: 0, err: '' });
    // What somebody has given goes before what the job has by itself.
    expect(await run(app.url, { COREDOCK_ID_TOKEN, COREDOCK_TOKEN: 'wrong' })).toMatchObject({
      code: 1,
      err: 'coredock: The token is not valid.\n',
    });
    expect(await run(app.url, { COREDOCK_ID_TOKEN, COREDOCK_TOKEN: 'wrong' }, { oidc: true })).toMatchObject({
      code: 0,
    });
    expect(
      await run(app.url, { COREDOCK_ID_TOKEN, COREDOCK_TOKEN: 'wrong' }, { token: ADMIN }),
    ).toMatchObject({
      code: 0,
    });
  });

  it('may have its token with the line break of the file that it was in, and no other space', async () => {
    const { app, issuer } = await aServerFor('gitlab');
    const token = await jobToken(issuer, GITLAB_JOB);

    for (const environment of [{ COREDOCK_TOKEN: `${ADMIN}\n` }, { COREDOCK_ID_TOKEN: ` ${token}\r\n` }])
      expect(await run(app.url, environment)).toMatchObject({ code: 0, err: '' });
    // An input of an action that was left out is an empty text.
    expect(await run(app.url, { COREDOCK_TOKEN: ADMIN }, { token: '' })).toMatchObject({ code: 0 });
    expect(await run(app.url, { COREDOCK_TOKEN: `${ADMIN}\nsha256:00` })).toEqual({
      code: 1,
      out: '',
      err: 'coredock: COREDOCK_TOKEN is not a token: it has a space, a line break or another character that tokens do not have\n',
    });
  });

  it('says how a job gets a token where it has none', async () => {
    const { app } = await aServerFor('github');
    const how =
      /GitHub gives one to a job with "permissions: id-token: write".*GitLab to a job with "id_tokens/;

    const without = await run(app.url, {});
    const demanded = await run(app.url, {}, { oidc: true });

    expect(without).toMatchObject({ code: 1, err: expect.stringMatching(how) });
    expect(without.err).toMatch(
      /^coredock: the server wants a token: give one by --token or COREDOCK_TOKEN\./,
    );
    expect(demanded).toMatchObject({ code: 1, err: expect.stringMatching(how) });
    expect(demanded.err).toMatch(/^coredock: --oidc: this job has no token\./);
  });

  it('says what GitHub answered when it gives none', async () => {
    const { app } = await aServerFor('github');
    const endpoint = await aJobTokenEndpoint(async () => 'unused', { failures: [403] });

    expect(await run(app.url, endpoint.environment)).toEqual({
      code: 1,
      out: '',
      err: 'coredock: GitHub gave the job no token: it answered 403\n',
    });
  });

  it('is refused a revision that can be none, before the upload', async () => {
    const { app } = await aServerFor('github');

    const { code, err } = await run(app.url, {}, { token: ADMIN, revision: 'feature/a b' });

    expect(code).toBe(1);
    expect(err).toMatch(/^coredock: "feature\/a b" cannot be a revision: use 1 to 64 of the characters/);
  });
});

async function run(url: string, environment: Record<string, string>, more = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const options = { model: 'thermostat', url, retries: 3, ...more };
  const code = await uploadFirmwareCommand(FILE, options, { stdout, stderr }, environment, 1);
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}
