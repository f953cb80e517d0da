import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url);

describe.each(['README.md', 'CONTRIBUTING.md'])('%s', (document) => {
  const text = readFileSync(new URL(document, root), 'utf8');
  const paths = [...text.matchAll(/`((?:src|test|prisma|\.ci)\/[\w./-]*)`/g)].map(([, path]) => path ?? '');

  it.each([...new Set(paths)])('names a path that exists: %s', (path) => {
    expect(existsSync(fileURLToPath(new URL(path, root)))).toBe(true);
  });
});
