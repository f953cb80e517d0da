import { spawnSync } from 'node:child_process';

/** Whether all these commands are on the path: tests of tools that a machine may lack are skipped without them. */
export function areInstalled(...commands: readonly string[]): boolean {
  return commands.every(
    (command) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', command], { stdio: 'ignore' }).status === 0,
  );
}
