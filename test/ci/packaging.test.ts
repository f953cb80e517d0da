import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { aServerFor, CI_AUDIENCE, GITHUB_JOB, GITLAB_JOB, jobToken } from '../support/ci-jobs.js';
import { fixture } from '../support/fixtures.js';
import { aJobTokenEndpoint } from '../support/job-token-endpoint.js';
import { ADMIN } from '../support/people.js';
import { CLI, NODE } from '../support/program.js';

const SHA = '4d3c2b1a0f9e8d7c6b5a49382716054f3e2d1c0b';

interface Action {
  inputs: Record<string, { required: boolean; default?: string }>;
  outputs: Record<string, { value: string }>;
  runs: { steps: Array<{ id: string; shell: string; env: Record<string, string>; run: string }> };
}

describe('the GitHub action', () => {
  it('uploads with the token of the job, and tells what it has uploaded', async () => {
    const { app, issuer } = await aServerFor('github');
    const endpoint = await aJobTokenEndpoint((aud) => jobToken(issuer, { ...GITHUB_JOB, aud }));

    const step = await runAction(
      { url: app.url, model: 'thermostat', audience: CI_AUDIENCE, 'coredock-version': '1.2.3' },
      endpoint.environment,
    );

    expect(step.stderr).toBe('');
    expect(step.code).toBe(0);
    expect(step.asked).toBe('coredock@1.2.3\n');
    const { firmwares } = await app.graphql<{ firmwares: { nodes: object[] } }>(
      '{ firmwares { nodes { id version elfSha256 revision } } }',
    );
    expect(firmwares.nodes).toEqual([
      {
        id: step.outputs['firmware-id'],
        version: step.outputs.version,
        elfSha256: step.outputs.sha256,
        revision: SHA,
      },
    ]);
    expect(step.outputs.version).toBe('1.0.0');
  });

  it('uploads with a token that it is given', async () => {
    const { app } = await aServerFor('github');

    const step = await runAction(
      { url: app.url, model: 'thermostat', token: ADMIN, elf: 'build/my app.elf' },
      {},
      ['build/my app.elf', 'build/bootloader.elf'],
    );

    expect(step).toMatchObject({ code: 0, outputs: { version: '1.0.0' } });
  });

  it('fails its step with the upload, and has no outputs then', async () => {
    const { app, issuer } = await aServerFor('github');
    const job = { ...GITHUB_JOB, ref: 'refs/heads/dev' };
    const endpoint = await aJobTokenEndpoint((aud) => jobToken(issuer, { ...job, aud }));

    const step = await runAction(
      { url: app.url, model: 'thermostat', audience: CI_AUDIENCE },
      endpoint.environment,
    );

    expect(step).toMatchObject({ code: 1, outputs: {} });
    expect(step.stderr).toContain('This CI job may not upload here: its ref is "refs/heads/dev"');
  });

  it.each([
    ['none', [], '0 files match the input elf; it must be exactly one: none'],
    [
      'two',
      ['build/a.elf', 'build/b.elf'],
      '2 files match the input elf; it must be exactly one: build/a.elf',
    ],
  ])('fails when %s of the files match', async (_, files, error) => {
    const step = await runAction({ url: 'http://127.0.0.1:1', model: 'thermostat' }, {}, files);

    expect(step).toMatchObject({ code: 1, outputs: {} });
    expect(step.stdout).toContain(`::error::${error}`);
  });

  it('runs nothing of what its inputs say', async () => {
    const { run, env } = await theStep();
    const evil = '$(touch pwned) `touch pwned`; touch pwned # " \' \n touch pwned --retries=0';
    const inputs = Object.fromEntries(Object.keys((await theAction()).inputs).map((name) => [name, evil]));

    const step = await runAction({ ...inputs, elf: 'build/*.elf' });
    const pattern = await runAction({ ...inputs, elf: evil });

    expect(run).not.toContain('${{');
    expect(Object.values(env).every((value) => /^\$\{\{ inputs\.[\w-]+ \}\}$/.test(value))).toBe(true);
    expect(step.code).not.toBe(0);
    expect(step.asked).toBe(`coredock@${evil}\n`);
    expect(pattern.code).toBe(1);
    expect([...step.files, ...pattern.files]).not.toContain('pwned');
  });
});

describe('the job for GitLab CI', () => {
  it.each(['bash', 'sh'])('uploads with the token that GitLab gives it, by %s', async (shell) => {
    const { app, issuer } = await aServerFor('gitlab');
    const COREDOCK_ID_TOKEN = await jobToken(issuer, GITLAB_JOB);

    const job = await runJob(shell, {
      COREDOCK_URL: app.url,
      COREDOCK_MODEL: 'thermostat',
      COREDOCK_ID_TOKEN,
    });

    expect(job.stderr).toBe('');
    expect(job.code).toBe(0);
    expect(job.stdout).toMatch(/^thermostat 1\.0\.0 [0-9a-f]{64}\n$/);
    expect(job.asked).toBe('coredock@latest\n');
  });

  it('fails with the upload, and when not one file matches', async () => {
    const { app, issuer } = await aServerFor('gitlab');
    const COREDOCK_ID_TOKEN = await jobToken(issuer, { ...GITLAB_JOB, project_id: '21' });
    const variables = { COREDOCK_URL: app.url, COREDOCK_MODEL: 'thermostat', COREDOCK_ID_TOKEN };

    const refused = await runJob('sh', variables);
    const several = await runJob('sh', variables, ['build/a.elf', 'build/b.elf']);
    const none = await runJob('sh', variables, []);

    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('its repository acme/thermostat is not trusted'),
    });
    expect(several.stderr).toContain(
      'COREDOCK_ELF must match exactly one file, and matches: build/a.elf build/b.elf',
    );
    expect(none.stderr).toContain('COREDOCK_ELF must match exactly one file');
    expect([several.code, none.code]).toEqual([1, 1]);
  });

  it('asks GitLab for a token for the server, and leaves merge requests out', async () => {
    const job = await theJob();

    expect(job.id_tokens).toEqual({ COREDOCK_ID_TOKEN: { aud: '$COREDOCK_URL' } });
    expect(job.rules[0]).toEqual({ if: '$CI_PIPELINE_SOURCE == "merge_request_event"', when: 'never' });
  });
});

async function theAction(): Promise<Action> {
  return parse(await readFile(at('packaging/github-action/action.yml'), 'utf8')) as Action;
}

async function theStep() {
  const [step, ...others] = (await theAction()).runs.steps;
  if (step === undefined || others.length > 0) throw new Error('the action has not one step');
  return step;
}

/** Runs the step as the runner does: the inputs in its `env`, its script by bash, its outputs in a file. */
async function runAction(
  given: Record<string, string>,
  environment: Record<string, string> = {},
  files: readonly string[] = ['build/thermostat.elf'],
) {
  const { inputs } = await theAction();
  const { env, run } = await theStep();
  const inputOf = (name: string) =>
    (given[name] ?? inputs[name]?.default ?? '').replace(/^\$\{\{ github\.sha \}\}$/, SHA);
  const variables = Object.fromEntries(
    Object.entries(env).map(([name, text]) => [
      name,
      text.replace(/^\$\{\{ inputs\.([\w-]+) \}\}$/, (_, input) => inputOf(input)),
    ]),
  );
  const dir = await aWorkspace(files);
  const result = await runScript(['bash', '--noprofile', '--norc', '-eo', 'pipefail'], run, dir, {
    ...environment,
    ...variables,
    GITHUB_OUTPUT: join(dir, 'output'),
  });
  const output = await readFile(join(dir, 'output'), 'utf8').catch(() => '');
  const lines = output.split('\n').filter((line) => line !== '');
  const outputs: Record<string, string> = Object.fromEntries(lines.map((line) => line.split('=')));
  return { ...result, outputs };
}

interface Job {
  id_tokens: object;
  rules: object[];
  variables: Record<string, string>;
  script: string[];
}

async function theJob(): Promise<Job> {
  const file = parse(await readFile(at('packaging/gitlab/coredock.gitlab-ci.yml'), 'utf8')) as Record<
    string,
    Job
  >;
  const job = file['.coredock-upload'];
  if (job === undefined) throw new Error('there is no .coredock-upload');
  return job;
}

async function runJob(
  shell: string,
  variables: Record<string, string>,
  files: readonly string[] = ['build/thermostat.elf'],
) {
  const job = await theJob();
  const dir = await aWorkspace(files);
  return runScript([shell], job.script.join('\n'), dir, {
    ...job.variables,
    CI_COMMIT_SHA: SHA,
    ...variables,
  });
}

/** A folder of a job with what its build has left, and an npx that runs the built program. */
async function aWorkspace(files: readonly string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-job-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'build'));
  await mkdir(join(dir, 'bin'));
  for (const file of files) await copyFile(fixture('thermostat-1.0.0').elfPath, join(dir, file));
  const npx = join(dir, 'bin', 'npx');
  await writeFile(
    npx,
    `#!/bin/sh\n[ "$1" = --yes ] || exit 64\nprintf '%s\\n' "$2" >asked\nshift 2\nexec "${NODE}" "${CLI}" "$@"\n`,
  );
  await chmod(npx, 0o755);
  return dir;
}

async function runScript(
  [shell = '', ...options]: readonly string[],
  script: string,
  dir: string,
  environment: Record<string, string>,
) {
  await writeFile(join(dir, 'script'), script);
  const child = spawn(shell, [...options, 'script'], {
    cwd: dir,
    env: { PATH: `${join(dir, 'bin')}${delimiter}${process.env.PATH ?? ''}`, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  const asked = await readFile(join(dir, 'asked'), 'utf8').catch(() => '');
  return { code, stdout, stderr, asked, files: await readdir(dir, { recursive: true }) };
}

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
