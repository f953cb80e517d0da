import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CURRENT, codeOf, documentAt, found } from './documents.js';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const helpTexts = new Map<string, string>();
const commands = commandsIn(helpOf('')).flatMap((name) => {
  const below = commandsIn(helpOf(name));
  return below.length === 0 ? [name] : below.map((sub) => `${name} ${sub}`);
});

describe('docs/operations.md', () => {
  it('has every command with all its options', () => {
    const table = documentAt('docs/operations.md');
    const missing = commands.flatMap((command) =>
      [`\`coredock ${command}`, ...optionsIn(helpOf(command)).map((option) => `${option}`)].filter(
        (text) => !table.includes(text),
      ),
    );

    expect(missing).toEqual([]);
  });
});

describe.each(CURRENT)('$path', ({ text }) => {
  const calls = found(codeOf(text), /(?<![\w/.-])coredock ((?:[a-z]+(?= |$))(?:.*))$/gm).filter(
    (call) => !/^(\/|path)/.test(call),
  );

  it('names commands and options that the program has', () => {
    expect(calls.filter((call) => problemOf(call) !== null).map((call) => [call, problemOf(call)])).toEqual(
      [],
    );
  });
});

describe('a default of an option', () => {
  it.each([
    ['docs/ci.md', 'firmware upload', '--retries', /`--retries`, default (\d+)/],
    ['docs/operations.md', 'sidecar', '--port', /`coredock sidecar \[--port (\d+)\]/],
    ['docs/operations.md', 'parse', '--chip', /\[--chip (\w+)\]/],
  ])('in %s is what `%s --help` says: %s', (path, command, option, pattern) => {
    const [, documented] = pattern.exec(documentAt(path)) ?? [];
    const [, standard] =
      new RegExp(`${option} [^(]*\\(default:\\s+"?(\\w+)"?\\)`, 's').exec(helpOf(command)) ?? [];

    expect(documented).toBe(standard);
  });
});

function problemOf(call: string): string | null {
  const command = [...commands]
    .sort((a, b) => b.length - a.length)
    .find((it) => `${call} `.startsWith(`${it} `));
  if (command === undefined) return 'there is no such command';
  const options = [...optionsIn(helpOf(command)), '--help'];
  const unknown = found(call.split(/[#;]|&&/)[0] ?? '', /(?<=[\s[])(--[\w-]+)/g).filter(
    (it) => !options.includes(it),
  );
  return unknown.length === 0 ? null : `it has no ${unknown.join(', ')}`;
}

/** What the program says of itself. */
function helpOf(command: string): string {
  const known = helpTexts.get(command);
  if (known !== undefined) return known;
  const words = command.split(' ').filter((word) => word !== '');
  const text = execFileSync(process.execPath, ['--import', 'tsx', CLI, ...words, '--help'], {
    encoding: 'utf8',
  });
  helpTexts.set(command, text);
  return text;
}

function commandsIn(help: string): string[] {
  const [, list = ''] = help.split('\nCommands:\n');
  return found(list, /^ {2}([a-z]+)/gm).filter((name) => name !== 'help');
}

function optionsIn(help: string): string[] {
  return found(help, /^ {2}(?:-\w, )?(--[\w-]+)/gm).filter((name) => !['--help', '--version'].includes(name));
}
