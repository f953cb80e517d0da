import { describe, expect, it } from 'vitest';
import { aServer } from '../support/app.js';
import {
  aModel,
  aServerFor,
  asked,
  GITHUB_JOB,
  GITLAB_JOB,
  gitHubPublisher,
  gitLabPublisher,
  jobToken,
  uploaded,
} from '../support/ci-jobs.js';
import { anOidcProvider } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';

const RELEASE = 'acme/thermostat/.github/workflows/release.yml';
const IDS = { repository_id: '700100200', repository_owner_id: '4242' };

describe('trusted publishers', () => {
  it('of several CIs and the issuer of people are each known by their own', async () => {
    const gitHub = await anOidcProvider([]);
    const gitLab = await anOidcProvider([{ id: 'page', roles: ['admin'] }]);
    const app = await aServer({
      ...gitLab.environment,
      TRUSTED_PUBLISHERS: JSON.stringify([
        gitHubPublisher(gitHub.issuer),
        // The same instance signs people in: the audience says which of both a token is.
        gitLabPublisher(gitLab.issuer, { models: ['pump'] }),
      ]),
    });
    const roleOf = async (token: string) =>
      (await asked<{ viewer: object }>(app, token, '{ viewer { role firmwareModels } }')).viewer;

    expect(await roleOf(await gitLab.token('page'))).toEqual({ role: 'ADMIN', firmwareModels: null });
    expect(await roleOf(await jobToken(gitHub, GITHUB_JOB))).toEqual({
      role: 'UPLOADER',
      firmwareModels: ['thermostat'],
    });
    expect(await roleOf(await jobToken(gitLab, GITLAB_JOB))).toEqual({
      role: 'UPLOADER',
      firmwareModels: ['pump'],
    });
    // Right claims, signed by the other CI.
    expect(await uploaded(app, await jobToken(gitLab, GITHUB_JOB))).toMatch(/^401/);
    expect(await uploaded(app, await jobToken(gitLab, { ...GITHUB_JOB, iss: gitHub.issuer }))).toMatch(
      /^401/,
    );
    // A job cannot become a person by asking for the audience of people.
    expect(await uploaded(app, await jobToken(gitLab, { ...GITLAB_JOB, aud: 'coredock' }))).toMatch(
      /^403 FORBIDDEN/,
    );
  });

  it('upload for the models of all entries that they match, and for no other', async () => {
    const issuer = await anOidcProvider([]);
    const app = await aServer(
      {
        ...STATIC_TOKENS,
        TRUSTED_PUBLISHERS: JSON.stringify([
          gitHubPublisher(issuer.issuer),
          gitHubPublisher(issuer.issuer, { models: ['gateway', 'thermostat'] }),
          gitHubPublisher(issuer.issuer, {
            models: ['pump'],
            claims: { ...IDS, ref: 'refs/heads/pump', workflow_ref: RELEASE },
          }),
        ]),
      },
      { token: ADMIN },
    );
    for (const code of ['thermostat', 'gateway', 'pump']) await aModel(app, code);
    const token = await jobToken(issuer, GITHUB_JOB);

    expect(await uploaded(app, token, 'thermostat')).toBe('thermostat 1.0.0');
    expect(await uploaded(app, token, 'gateway')).toBe('gateway 1.0.0');
    const refusal = '200 FORBIDDEN This CI job may upload firmware of thermostat, gateway, and not of';
    expect(await uploaded(app, token, 'pump')).toBe(`${refusal} "pump".`);
    expect(await uploaded(app, token, 'nothing')).toBe(`${refusal} "nothing".`);
  });

  it('may use a token again, as after a broken connection, and are in the audit', async () => {
    const { app, issuer } = await aServerFor('github');
    const token = await jobToken(issuer, GITHUB_JOB);

    expect(await uploaded(app, token)).toBe('thermostat 1.0.0');
    expect(await uploaded(app, token)).toBe('thermostat 1.0.0');

    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: object[] } }>(
      '{ auditEvents(filter: { role: [UPLOADER] }) { nodes { action actor role via target } } }',
    );
    const event = {
      action: 'uploadFirmware',
      actor: 'acme/thermostat@refs/heads/main run 1234567890',
      role: 'UPLOADER',
      via: 'PUBLISHER',
      target: 'thermostat 1.0.0',
    };
    expect(auditEvents.nodes).toEqual([event, event]);
  });

  it('are waited for when their CI cannot be asked for its keys', async () => {
    const issuer = await anOidcProvider([]);
    const token = await jobToken(issuer, GITHUB_JOB);
    await issuer.stop();
    const app = await aServer({
      ...STATIC_TOKENS,
      TRUSTED_PUBLISHERS: JSON.stringify([gitHubPublisher(issuer.issuer)]),
    });

    expect(await uploaded(app, token)).toMatch(/^503 INTERNAL_SERVER_ERROR .* try again/);
  });
});
