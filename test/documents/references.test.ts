import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  scripts: Record<string, string>;
};

describe.each(['README.md', 'CONTRIBUTING.md'])('%s', (document) => {
  const text = readFileSync(new URL(document, root), 'utf8');

  it.each(named(text, /`((?:src|test|prisma|\.ci)\/[\w./-]*)`/g))('names a path that exists: %s', (path) => {
    expect(existsSync(fileURLToPath(new URL(path, root)))).toBe(true);
  });

  it.each(named(text, /\bnpm run ([\w:-]+)/g))('names a script that exists: npm run %s', (script) => {
    expect(Object.keys(scripts)).toContain(script);
  });
});

/** What the pattern's group finds, each once. A document without any has no promise to test, and vitest says so. */
function named(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name ?? ''))];
}
