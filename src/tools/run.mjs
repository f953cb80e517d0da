import { execFileSync } from 'node:child_process';

/** Runs a command and waits for its end. Prints its output only when it fails, and then ends this process too. */
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
