import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const DIST = new URL('../../dist/', import.meta.url);
const notices = readFileSync(new URL('THIRD-PARTY-NOTICES.txt', DIST), 'utf8');

describe('THIRD-PARTY-NOTICES', () => {
  it('names every package whose code is in the program, by what the bundler wrote above each module', () => {
    const code = readdirSync(DIST)
      .filter((name) => /\.c?js$/.test(name))
      .map((name) => readFileSync(new URL(name, DIST), 'utf8'));
    const bundled = new Set(
      code.flatMap((text) =>
        [...text.matchAll(/^ *\/\/ (?:[\w@./-]+\/)?node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//gm)].map(
          ([, name]) => name,
        ),
      ),
    );

    expect(bundled.size).toBeGreaterThan(80);
    expect([...bundled].filter((name) => !new RegExp(`^${name} \\d`, 'm').test(notices))).toEqual([]);
  });

  it.each(['react', 'urql', '@photostructure/sqlite', '@graphql-yoga/render-graphiql', 'fzstd'])(
    'names %s, which is in the page, the library or a file of its own',
    (name) => {
      expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+`, 'm'));
    },
  );

  it('has the text of each licence once, and a licence for every package', () => {
    expect(notices).not.toMatch(/undefined|\(null\)/);
    expect(notices.match(/Apache License\s+Version 2\.0, January 2004/g)?.length).toBeLessThan(8);
    expect(notices).toContain('Permission is hereby granted, free of charge');
  });
});
