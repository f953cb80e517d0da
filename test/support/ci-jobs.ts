import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { aServer, bearer, type TestApp } from './app.js';
import { sendFirmware } from './firmware.js';
import { anOidcProvider, inSeconds, type OidcProvider } from './oidc.js';
import { askAlone } from './own-connection.js';
import { ADMIN, STATIC_TOKENS } from './people.js';

/** The audience that the jobs of the tests ask for. */
export const CI_AUDIENCE = 'https://coredock.example.org';

const SHA = '4d3c2b1a0f9e8d7c6b5a49382716054f3e2d1c0b';

/** Claims as GitHub's job tokens carry them, of a push to main in acme/thermostat, in `sub`'s form of before July 2026. */
export const GITHUB_JOB = {
  sub: 'repo:acme/thermostat:ref:refs/heads/main',
  repository: 'acme/thermostat',
  repository_id: '700100200',
  repository_owner: 'acme',
  repository_owner_id: '4242',
  repository_visibility: 'private',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  ref_protected: 'true',
  sha: SHA,
  workflow: 'release',
  workflow_ref: 'acme/thermostat/.github/workflows/release.yml@refs/heads/main',
  workflow_sha: SHA,
  job_workflow_ref: 'acme/thermostat/.github/workflows/release.yml@refs/heads/main',
  job_workflow_sha: SHA,
  event_name: 'push',
  actor: 'ada',
  actor_id: '99',
  head_ref: '',
  base_ref: '',
  runner_environment: 'github-hosted',
  run_id: '1234567890',
  run_number: '10',
  run_attempt: '1',
};

/** Claims as GitLab's ID tokens carry them, of a push to main in acme/thermostat. */
export const GITLAB_JOB = {
  sub: 'project_path:acme/thermostat:ref_type:branch:ref:main',
  namespace_id: '72',
  namespace_path: 'acme',
  project_id: '20',
  project_path: 'acme/thermostat',
  user_id: '1',
  user_login: 'ada',
  user_email: 'ada@example.com',
  pipeline_id: '574',
  pipeline_source: 'push',
  job_id: '302',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  runner_id: 1,
  runner_environment: 'self-hosted',
  sha: SHA,
  project_visibility: 'private',
  ci_config_ref_uri: 'gitlab.example.com/acme/thermostat//.gitlab-ci.yml@refs/heads/main',
  ci_config_sha: SHA,
};

/** The token of a job: valid for five minutes, unless its claims say otherwise. */
export function jobToken(issuer: OidcProvider, claims: object): Promise<string> {
  const times = { iat: inSeconds(0), nbf: inSeconds(-5), exp: inSeconds(300), jti: randomUUID() };
  return issuer.sign({ aud: CI_AUDIENCE, ...times, ...claims });
}

/** What an operator writes to trust GITHUB_JOB. */
export function gitHubPublisher(issuer: string, changes: object = {}) {
  const { repository_id, repository_owner_id, ref, workflow_ref } = GITHUB_JOB;
  return {
    provider: 'github',
    models: ['thermostat'],
    issuer,
    audience: CI_AUDIENCE,
    claims: { repository_id, repository_owner_id, ref, workflow_ref },
    ...changes,
  };
}

/** What an operator writes to trust GITLAB_JOB. */
export function gitLabPublisher(issuer: string, changes: object = {}) {
  const { project_id, ref_path, ref_protected } = GITLAB_JOB;
  return {
    provider: 'gitlab',
    models: ['thermostat'],
    issuer,
    audience: CI_AUDIENCE,
    claims: { project_id, ref_path, ref_protected },
    ...changes,
  };
}

/** A server that trusts one job, with the job's model. @param lines gets what the server logs */
export async function aServerFor(provider: 'github' | 'gitlab', changes: object = {}, lines?: string[]) {
  const issuer = await anOidcProvider([]);
  const publisher = provider === 'github' ? gitHubPublisher : gitLabPublisher;
  const log =
    lines === undefined ? {} : { log: pino({ level: 'info' }, { write: (line) => void lines.push(line) }) };
  const app = await aServer(
    { ...STATIC_TOKENS, TRUSTED_PUBLISHERS: JSON.stringify([publisher(issuer.issuer, changes)]) },
    { token: ADMIN, ...log },
  );
  await aModel(app, 'thermostat');
  return { app, issuer };
}

export async function aModel(app: TestApp, code: string): Promise<void> {
  await app.graphql(
    'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { id } } }',
    { input: { code, name: code } },
  );
}

/** "MODEL VERSION", or the status and the error. */
export async function uploaded(app: TestApp, token: string, modelCode = 'thermostat'): Promise<string> {
  const response = await sendFirmware(app, {
    modelCode,
    headers: bearer(token),
    selection: 'firmware { version model { code } }',
  });
  const { data, errors } = (await response.json()) as {
    data?: { uploadFirmware: { firmware: { version: string; model: { code: string } } } | null } | null;
    errors?: Array<{ message: string; extensions: { code: string } }>;
  };
  if (data?.uploadFirmware != null) {
    const { version, model } = data.uploadFirmware.firmware;
    return `${model.code} ${version}`;
  }
  return `${response.status} ${errors?.[0]?.extensions.code} ${errors?.[0]?.message}`;
}

export function asked<Data>(app: TestApp, token: string, query: string): Promise<Data> {
  return askAlone(app, query, { token });
}
