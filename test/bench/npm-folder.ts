import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder with packages that only a benchmark needs, outside of the project's dependencies; kept between runs.
 *
 * @param packages exact versions, `name@version`
 * @returns null when the registry does not give them
 */
export function npmFolder(packages: readonly string[]): string | null {
  const folder = join(tmpdir(), `coredock-bench-npm-${packages.join('+').replace(/[^\w.@+-]/g, '_')}`);
  const mark = join(folder, 'installed');
  if (existsSync(mark)) return folder;
  process.stderr.write(`  installing ${packages.join(', ')} into ${folder} …\n`);
  mkdirSync(folder, { recursive: true });
  const quiet = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['install', '--prefix', folder, ...quiet, ...packages], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) return null;
  mkdirSync(mark);
  return folder;
}

/** The package that has the program itself; `node` would fetch it in an install script. */
export function nodePackage(): string {
  const { platform, arch } = process;
  return `${platform === 'darwin' && arch === 'arm64' ? 'node-bin-' : 'node-'}${platform}-${arch}`;
}
