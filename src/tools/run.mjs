import { execFileSync } from 'node:child_process';

/** Runs a command to its end; what it prints is of interest only when it fails, and then this process ends as well. */
export function run(command, args, environment = {}) {
  try {
    execFileSync(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      shell: process.platform === 'win32',
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}\n${command} ${args.join(' ')} failed\n`);
    process.exit(1);
  }
}

export function say(text) {
  process.stderr.write(`coredock: ${text} …\n`);
}
