import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ADVISORY = 'GHSA-2222-3333-4444';
const REASON = 'It concerns a parser that no code of ours reaches.';

interface Project {
  /** What audit-allow.json holds. */
  allowed?: unknown;
  hasInstallScript?: boolean;
  /** Whether the registry knows the audit endpoint. */
  hasAudit?: boolean;
}

/** Runs the check in a project that depends on `leaky`, with npm asking a registry that has an advisory on it. */
async function checkOf({ allowed, hasInstallScript = false, hasAudit = true }: Project) {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-supply-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const registry = createServer((request, response) => {
    request.resume();
    const isAudit = request.url?.includes('/advisories/') === true;
    if (isAudit && !hasAudit) return void response.writeHead(405).end();
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isAudit ? ADVISORIES : PACKUMENT));
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    registry.closeAllConnections();
    registry.close();
  });

  const manifest = { name: 'project', version: '1.0.0', dependencies: { leaky: '1.0.0' } };
  const lock = {
    ...manifest,
    lockfileVersion: 3,
    packages: { '': manifest, 'node_modules/leaky': { version: '1.0.0', hasInstallScript } },
  };
  await writeFile(join(dir, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(dir, 'package-lock.json'), JSON.stringify(lock));
  if (allowed !== undefined) await writeFile(join(dir, 'audit-allow.json'), JSON.stringify(allowed));

  return new Promise<{ code: number; output: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'node_modules/tsx/dist/cli.mjs'), join(ROOT, 'src/tools/supply-chain.ts')],
      {
        cwd: dir,
        env: {
          ...process.env,
          npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}`,
          npm_config_cache: join(dir, 'cache'),
          npm_config_fetch_retries: '0',
        },
      },
      (error, _stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stderr }),
    );
  });
}

const ADVISORIES = {
  leaky: [
    {
      id: 1,
      url: `https://github.com/advisories/${ADVISORY}`,
      title: 'It leaks',
      severity: 'high',
      vulnerable_versions: '<2.0.0',
    },
  ],
};
const PACKUMENT = {
  name: 'leaky',
  'dist-tags': { latest: '1.0.0' },
  versions: { '1.0.0': { name: 'leaky', version: '1.0.0' } },
};

describe('a dependency with a known vulnerability', () => {
  const entry = { advisory: ADVISORY, package: 'leaky', reason: REASON, until: '2999-01-01' };

  it('fails the check, by name', async () => {
    const { code, output } = await checkOf({});

    expect(code).toBe(1);
    expect(output).toContain(`leaky: It leaks (high, ${ADVISORY})`);
  });

  it('is let through where the list says why', async () => {
    expect(await checkOf({ allowed: [entry] })).toEqual({ code: 0, output: '' });
  });

  it.each([
    ['has no reason', { ...entry, reason: '' }, 'why this does no harm'],
    ['is over', { ...entry, until: '2020-01-01' }, 'was allowed until 2020-01-01'],
    ['is for another one', { ...entry, advisory: 'GHSA-2222-2222-2222' }, 'It leaks'],
    ['is not needed any more', { ...entry, package: 'tight' }, 'is not reported any more'],
  ])('is not let through by an entry that %s', async (_, other, message) => {
    const { code, output } = await checkOf({ allowed: [other] });

    expect(code).toBe(1);
    expect(output).toContain(message);
  });

  it('cannot be known where nobody can be asked, and that is said', async () => {
    const { code, output } = await checkOf({ hasAudit: false });

    expect(code).toBe(0);
    expect(output).toContain('SKIPPED: npm audit');
  });
});

describe('a dependency with an install script', () => {
  it('fails the check until somebody has decided about it', async () => {
    const { code, output } = await checkOf({ hasInstallScript: true, hasAudit: false });

    expect(code).toBe(1);
    expect(output).toContain('leaky has an install script');
  });
});
