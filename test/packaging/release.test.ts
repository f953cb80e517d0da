import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { areInstalled } from '../support/installed.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WORKFLOWS = join(ROOT, '.github/workflows');

const step = z
  .object({
    name: z.string().optional(),
    id: z.string().optional(),
    uses: z.string().optional(),
    run: z.string().optional(),
    with: z.record(z.string(), z.unknown()).optional(),
    env: z.record(z.string(), z.string()).optional(),
  })
  .strict();
const workflow = z.looseObject({
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.looseObject({
      needs: z.union([z.string(), z.array(z.string())]).optional(),
      permissions: z.record(z.string(), z.string()).optional(),
      'timeout-minutes': z.number().optional(),
      uses: z.string().optional(),
      steps: z.array(step).optional(),
    }),
  ),
});

describe.each(readdirSync(WORKFLOWS))('.github/workflows/%s', (file) => {
  const text = readFileSync(join(WORKFLOWS, file), 'utf8');
  const { permissions, jobs } = workflow.parse(parse(text));
  const steps = Object.values(jobs).flatMap((job) => job.steps ?? []);
  const scripts = steps.flatMap(({ run }) => (run === undefined ? [] : [run]));

  it('gives a job what it needs, and no more than reading by default', () => {
    expect(permissions).toEqual({ contents: 'read' });
    for (const [name, job] of Object.entries(jobs)) {
      expect(job.uses ?? job['timeout-minutes'], `${name} has a limit of time`).toBeDefined();
      for (const needed of [job.needs ?? []].flat()) expect(Object.keys(jobs)).toContain(needed);
    }
  });

  it('uses actions by their commit, beside which the version stands', () => {
    const used = steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));

    for (const action of used) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    expect(text.match(/uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/gm) ?? []).toHaveLength(used.length);
  });

  it('puts no expression into a script, where its text would be run', () => {
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
  });

  it('has scripts that a shell can read', () => {
    for (const script of scripts) {
      const { status, stderr } = spawnSync('bash', ['--norc', '-n'], { input: script, encoding: 'utf8' });
      expect({ script, status, stderr }).toEqual({ script, status: 0, stderr: '' });
    }
  });

  it.skipIf(!areInstalled('shellcheck'))('has scripts without a finding (needs shellcheck)', () => {
    for (const script of scripts) {
      const { stdout } = spawnSync('shellcheck', ['--shell=bash', '-'], { input: script, encoding: 'utf8' });
      expect(stdout).toBe('');
    }
  });
});

describe('the release workflow', () => {
  const { jobs } = workflow.parse(parse(readFileSync(join(WORKFLOWS, 'release.yml'), 'utf8')));

  it('publishes only what was checked, and only once it was packed', () => {
    expect(jobs.pack?.needs).toBe('check');
    for (const name of ['npm', 'image', 'component']) expect(jobs[name]?.needs).toContain('pack');
    expect(jobs.release?.needs).toEqual(expect.arrayContaining(['npm', 'image', 'component']));
  });

  it('lets only the jobs that publish prove who they are', () => {
    const proving = Object.entries(jobs)
      .filter(([, { permissions = {} }]) => permissions['id-token'] === 'write')
      .map(([name]) => name);

    expect(proving).toEqual(['npm', 'image', 'release']);
    expect(Object.keys(jobs).filter((name) => jobs[name]?.permissions?.contents === 'write')).toEqual([
      'release',
    ]);
  });

  it('names the newest base, the tarball and the tags in the step that finds them', () => {
    const script = jobs.image?.steps?.find(({ id }) => id === 'base')?.run ?? '';
    const tagsOf = (version: string, channel: string) =>
      withCommand('docker', 'echo sha256:0123', (environment, folder) => {
        writeFileSync(join(folder, 'coredock-1.0.0.tgz'), '');
        const output = join(folder, 'output');
        const { status, stderr } = spawnSync('bash', ['--norc', '-e', '-c', script], {
          cwd: folder,
          env: {
            ...environment,
            IMAGE: 'ghcr.io/o/r',
            VERSION: version,
            CHANNEL: channel,
            GITHUB_OUTPUT: output,
          },
          encoding: 'utf8',
        });
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        return readFileSync(output, 'utf8').trim().split('\n');
      });

    expect(tagsOf('1.2.3', 'latest')).toEqual([
      'image=node:24-bookworm-slim@sha256:0123',
      'tarball=coredock-1.0.0.tgz',
      'tags=ghcr.io/o/r:1.2.3,ghcr.io/o/r:latest,ghcr.io/o/r:1',
    ]);
    expect(tagsOf('1.2.3-rc.1', 'next')[2]).toBe('tags=ghcr.io/o/r:1.2.3-rc.1');
  });

  it('marks a candidate as such', () => {
    const script = jobs.release?.steps?.find(({ name }) => name === 'Make the release')?.run ?? '';
    const callOf = (tag: string, channel: string) =>
      withCommand('gh', 'echo "$@"', (environment, folder) => {
        writeFileSync(join(folder, 'coredock-1.0.0.tgz'), '');
        return spawnSync('bash', ['--norc', '-e', '-c', script], {
          cwd: folder,
          env: { ...environment, GITHUB_REF_NAME: tag, GITHUB_REPOSITORY: 'o/r', CHANNEL: channel },
          encoding: 'utf8',
        }).stdout.trim();
      });

    const common = 'coredock-1.0.0.tgz coredock.cdx.json --repo o/r --verify-tag --title Coredock';
    expect(callOf('v1.0.0', 'latest')).toBe(`release create v1.0.0 ${common} 1.0.0 --notes-file NOTES.md`);
    expect(callOf('v1.0.0-rc.1', 'next')).toMatch(/--prerelease$/);
  });
});

describe('packaging/release', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const script = (name: string, tag: string) =>
    spawnSync(process.execPath, [`packaging/release/${name}.mjs`, tag], { cwd: ROOT, encoding: 'utf8' });

  it('refuses a tag of another version, and names every file that disagrees', () => {
    const { status, stdout, stderr } = script('version', 'v7.7.7');

    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(`package.json has version ${version}, and the tag v7.7.7\n`);
    expect(stderr).toContain(`package-lock.json has version ${version}`);
    expect(stderr).toContain(`compose.yaml has version ${version}`);
    expect(stderr).toContain(`docs/ci.md has version ${version}`);
    expect(stderr).toContain(`packaging/github-action/README.md has version ${version}`);
    expect(stderr).toContain('CHANGELOG.md has no section "## 7.7.7"');
    expect(script('version', '1.0').stderr).toContain('the tag "1.0" is not like v1.2.3 or v1.2.3-rc.1');
  });

  it('accepts the tag of this version, once its changes are written down', () => {
    const { stdout, stderr } = script('version', `v${version}`);

    if (readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8').includes(`\n## ${version} `)) {
      expect(stdout).toBe(`version=${version}\nchannel=${version.includes('-') ? 'next' : 'latest'}\n`);
      expect(script('notes', `v${version}`).stdout).toMatch(/^### /m);
    } else {
      expect(stderr).toBe(`CHANGELOG.md has no section "## ${version}"\n`);
    }
  });

  it('has no notes for a version that nobody wrote about', () => {
    expect(script('notes', 'v7.7.7')).toMatchObject({ status: 1, stdout: '' });
  });
});

/** Runs with a command of this name on the path, which does what its line says. */
function withCommand<T>(
  name: string,
  line: string,
  work: (environment: NodeJS.ProcessEnv, folder: string) => T,
): T {
  const folder = mkdtempSync(join(tmpdir(), 'coredock-release-'));
  try {
    writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    return work({ PATH: `${folder}:${process.env.PATH}` }, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
