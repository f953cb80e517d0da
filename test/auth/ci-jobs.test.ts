import { describe, expect, it } from 'vitest';
import {
  aServerFor,
  asked,
  CI_AUDIENCE,
  GITHUB_JOB,
  GITLAB_JOB,
  jobToken,
  uploaded,
} from '../support/ci-jobs.js';
import { inSeconds } from '../support/oidc.js';

const RELEASE = 'acme/thermostat/.github/workflows/release.yml';
const REUSED = 'acme/ci/.github/workflows/firmware.yml';
const IDS = { repository_id: '700100200', repository_owner_id: '4242' };

describe('a job of GitHub Actions', () => {
  it('uploads for its model, whatever form its sub has', async () => {
    const { app, issuer } = await aServerFor('github');
    const forms = [
      'repo:acme/thermostat:ref:refs/heads/main',
      // Of repositories that were made, renamed or moved after 15 July 2026.
      'repo:acme@4242/thermostat@700100200:ref:refs/heads/main',
      'repo:acme/thermostat:environment:production',
      'repository_owner_id:4242:workflow:release%3Afirmware',
    ];

    for (const sub of forms) {
      const token = await jobToken(issuer, { ...GITHUB_JOB, sub });
      expect(await uploaded(app, token), sub).toBe('thermostat 1.0.0');
    }
  });

  it('is refused for whatever is not as the settings want it', async () => {
    const { app, issuer } = await aServerFor('github');
    const wrong: ReadonlyArray<[what: string, claims: object, why: string]> = [
      [
        'another repository',
        { repository: 'mallory/thermostat', repository_id: '1' },
        'its repository mallory/thermostat is not trusted',
      ],
      [
        'a new owner of the name',
        { repository_owner_id: '1' },
        'its repository acme/thermostat is not trusted',
      ],
      [
        'another branch',
        { ref: 'refs/heads/dev' },
        'its ref is "refs/heads/dev", which is not the trusted one',
      ],
      [
        'a tag with the name of the branch',
        { ref: 'refs/tags/main', ref_type: 'tag' },
        'its ref is "refs/tags/main"',
      ],
      [
        'another workflow',
        { workflow_ref: 'acme/thermostat/.github/workflows/x.yml@refs/heads/main' },
        'its workflow_ref is',
      ],
      ['the workflow at another ref', { workflow_ref: `${RELEASE}@refs/heads/dev` }, 'its workflow_ref is'],
      [
        'a pull request',
        { event_name: 'pull_request', ref: 'refs/pull/7/merge' },
        'it runs for a pull request ("pull_request")',
      ],
      // Runs with the ref and the secrets of the base, for code of the head.
      [
        'pull_request_target',
        { event_name: 'pull_request_target', head_ref: 'x', base_ref: 'main' },
        'pull_request_target',
      ],
      ['a review of one', { event_name: 'pull_request_review' }, 'it runs for a pull request'],
      ['no event', { event_name: undefined }, 'it does not say what event started it'],
      ['a token of yesterday', { iat: inSeconds(-90_000) }, 'it was issued more than a day ago'],
      ['a token of tomorrow', { iat: inSeconds(90_000) }, 'it was issued in the future'],
      ['no time of issue', { iat: undefined }, 'it does not say when it was issued'],
    ];

    for (const [what, claims, why] of wrong) {
      const refusal = await uploaded(app, await jobToken(issuer, { ...GITHUB_JOB, ...claims }));
      expect(refusal, what).toMatch(/^401 UNAUTHENTICATED This CI job may not upload here: /);
      expect(refusal, what).toContain(why);
    }
  });

  it('is refused for a token that is not meant for us, or not any more', async () => {
    const { app, issuer } = await aServerFor('github');
    const wrong: ReadonlyArray<[what: string, claims: object, why: string]> = [
      [
        'the audience that GitHub gives to everybody',
        { aud: 'https://github.com/acme' },
        'its audience is not one that TRUSTED_PUBLISHERS names',
      ],
      ['an end in the past', { exp: inSeconds(-60) }, 'it has expired'],
      ['no end', { exp: undefined }, 'its claim "exp" is wrong'],
      [
        'another issuer',
        { iss: 'https://token.actions.githubusercontent.com' },
        'its issuer is none that this server accepts',
      ],
    ];

    for (const [what, claims, why] of wrong) {
      expect(await uploaded(app, await jobToken(issuer, { ...GITHUB_JOB, ...claims })), what).toBe(
        `401 UNAUTHENTICATED The token is not valid: ${why}.`,
      );
    }
  });

  it('does not learn what the settings want, which the log has', async () => {
    const lines: string[] = [];
    const { app, issuer } = await aServerFor('github', {}, lines);

    const refusal = await uploaded(
      app,
      await jobToken(issuer, { ...GITHUB_JOB, repository_id: '1', ref: 'refs/heads/x' }),
    );

    expect(refusal).not.toMatch(/700100200|refs\/heads\/main|release/);
    const logged = lines.find((line) => line.includes('a CI job was refused'));
    expect(JSON.parse(logged ?? '{}')).toMatchObject({
      job: 'acme/thermostat@refs/heads/x run 1234567890',
      publishers: [
        {
          differing: [
            { claim: 'repository_id', wanted: '700100200', found: '1' },
            { claim: 'ref', wanted: 'refs/heads/main', found: 'refs/heads/x' },
          ],
        },
      ],
    });
  });

  it('is known by its environment, at whatever tag, where the settings want that', async () => {
    const { app, issuer } = await aServerFor('github', {
      claims: { ...IDS, environment: 'Production', workflow_ref: RELEASE },
    });
    const tag = { ref: 'refs/tags/v1.0.0', ref_type: 'tag', workflow_ref: `${RELEASE}@refs/tags/v1.0.0` };
    const job = {
      ...GITHUB_JOB,
      ...tag,
      sub: 'repo:acme/thermostat:environment:production',
      environment: 'production',
    };

    expect(await uploaded(app, await jobToken(issuer, job))).toBe('thermostat 1.0.0');
    expect(await uploaded(app, await jobToken(issuer, { ...job, environment: 'staging' }))).toContain(
      'its environment is "staging"',
    );
    expect(await uploaded(app, await jobToken(issuer, { ...job, environment: undefined }))).toContain(
      'it has no environment',
    );
  });

  it('may run a reusable workflow, which job_workflow_ref names, and workflow_ref its caller', async () => {
    const { app, issuer } = await aServerFor('github', {
      claims: { ...IDS, ref: 'refs/heads/main', job_workflow_ref: `${REUSED}@refs/heads/main` },
    });
    const job = { ...GITHUB_JOB, job_workflow_ref: `ACME/CI/.github/workflows/firmware.yml@refs/heads/main` };

    expect(await uploaded(app, await jobToken(issuer, job))).toBe('thermostat 1.0.0');
    expect(await uploaded(app, await jobToken(issuer, GITHUB_JOB))).toContain('its job_workflow_ref is');
    // A caller in another repository has its own ids.
    expect(await uploaded(app, await jobToken(issuer, { ...job, repository_id: '1' }))).toContain(
      'is not trusted',
    );
  });
});

describe('a job of GitLab CI', () => {
  it('uploads for its model', async () => {
    const { app, issuer } = await aServerFor('gitlab');

    expect(await uploaded(app, await jobToken(issuer, GITLAB_JOB))).toBe('thermostat 1.0.0');
    // Several audiences, as a job may ask for.
    const aud = ['https://vault.example.org', CI_AUDIENCE];
    expect(await uploaded(app, await jobToken(issuer, { ...GITLAB_JOB, aud }))).toBe('thermostat 1.0.0');
  });

  it('is refused for whatever is not as the settings want it', async () => {
    const { app, issuer } = await aServerFor('gitlab');
    const wrong: ReadonlyArray<[what: string, claims: object, why: string]> = [
      [
        'another project',
        { project_id: '21', project_path: 'mallory/thermostat' },
        'its repository mallory/thermostat is not trusted',
      ],
      [
        'another branch',
        { ref: 'dev', ref_path: 'refs/heads/dev', ref_protected: 'false' },
        'its ref_path is "refs/heads/dev"',
      ],
      [
        'a tag with the name of the branch',
        { ref_type: 'tag', ref_path: 'refs/tags/main' },
        'its ref_path is "refs/tags/main"',
      ],
      [
        'a merge request',
        { pipeline_source: 'merge_request_event' },
        'it runs for a merge request ("merge_request_event")',
      ],
      [
        'a pull request of an external host',
        { pipeline_source: 'external_pull_request_event' },
        'it runs for a merge request',
      ],
      [
        'the merge request of a fork, since 18.2.2',
        {
          pipeline_source: 'merge_request_event',
          project_id: '99',
          project_path: 'mallory/thermostat',
          job_project_id: '20',
        },
        'it runs for a merge request',
      ],
      // Its jobs have another source than the merge request that started them.
      [
        'a child pipeline for a branch of a fork',
        { pipeline_source: 'parent_pipeline', ref_protected: 'false' },
        'it is of a child pipeline for a ref that is not protected',
      ],
      [
        'a job that runs in another project',
        { job_project_id: '21' },
        'it runs for the merge request of a fork',
      ],
      ['no source', { pipeline_source: undefined }, 'it does not say what started its pipeline'],
    ];

    for (const [what, claims, why] of wrong) {
      const refusal = await uploaded(app, await jobToken(issuer, { ...GITLAB_JOB, ...claims }));
      expect(refusal, what).toMatch(/^401 UNAUTHENTICATED This CI job may not upload here: /);
      expect(refusal, what).toContain(why);
    }
  });

  it('may have a token for as long as the job may last, up to a day', async () => {
    const { app, issuer } = await aServerFor('gitlab');
    const long = { ...GITLAB_JOB, iat: inSeconds(-80_000), exp: inSeconds(80_000) };

    const { viewer } = await asked<{ viewer: { expiresAt: string } }>(
      app,
      await jobToken(issuer, long),
      '{ viewer { expiresAt } }',
    );

    expect((Date.parse(viewer.expiresAt) - Date.now()) / 1000).toBeLessThan(6_500);
  });
});
