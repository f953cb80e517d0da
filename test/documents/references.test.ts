import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  CURRENT,
  commentsOf,
  DOCUMENTS,
  documentAt,
  exists,
  found,
  readText,
  sourcesBelow,
} from './documents.js';

const { scripts, devDependencies } = JSON.parse(readText('package.json')) as Record<
  'scripts' | 'devDependencies',
  Record<string, string>
>;
/** All dependencies are for development; these are in the built program. */
const bundled = (JSON.parse(readText('dist/.packages.json')) as { name: string }[])
  .map(({ name }) => name)
  .filter((name) => name in devDependencies);

const [, listed = ''] = /const BENCHMARKS[^{]*\{([^}]*)\}/.exec(readText('test/bench/run.ts')) ?? [];
const benchmarks = found(listed, /(\w+)/g);

describe.each(CURRENT)('$path', ({ path, text }) => {
  it('names paths that exist', () => {
    const named = found(text, /(?<![\w/.(@-])((?:\.\/)?(?:src|test|docs|prisma|\.ci)\/[\w./-]*[\w/])/g);

    expect(named.filter((name) => !exists(name))).toEqual([]);
  });

  it('names benchmarks that exist', () => {
    const named = found(text, /npm run bench -- (\w+)/g).filter((name) => name !== 'NAME');

    expect(named.filter((name) => !benchmarks.includes(name))).toEqual([]);
  });

  it('names scripts that exist', () => {
    const named = found(text, /\bnpm run (?:--silent )?([\w:-]+)/g);

    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names documents of the root that exist', () => {
    const named = found(text, /\b([A-Z]+\.md|schema\.graphql)\b/g);

    expect(named.filter((name) => !exists(name) && !exists(posix.join(posix.dirname(path), name)))).toEqual(
      [],
    );
  });
});

describe.each(DOCUMENTS)('$path', ({ path, text }) => {
  it('links to files and headings that exist', () => {
    const links = found(text.replaceAll(/^```.*?^```$/gms, ''), /\]\(([^)\s]+)\)/g);
    const broken = links
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => !leadsSomewhere(path, link));

    expect(broken).toEqual([]);
  });
});

describe('comments in the sources', () => {
  const files = ['src', 'test'].flatMap(sourcesBelow);

  it.each(['src', 'test'])('name files that exist: %s', (folder) => {
    const problems = sourcesBelow(folder).flatMap((path) =>
      found(commentsOf(readText(path)), /(?<![\w./-])((?:[\w-]+\/)*[\w-]+\.(?:ts|tsx|mjs|cts))\b/g)
        .filter((name) => !files.some((file) => file === name || file.endsWith(`/${name}`)))
        .map((name) => `${path}: ${name}`),
    );

    expect(problems).toEqual([]);
  });

  it('name benchmarks and documents that exist', () => {
    const problems = sourcesBelow('src').flatMap((path) => {
      const text = readText(path);
      return [
        ...found(text, /npm run bench -- (\w+)/g).filter((name) => !benchmarks.includes(name)),
        ...found(text, /(?<![\w/])(docs\/[\w-]+\.md|[A-Z]{4,}\.md)/g).filter((name) => !exists(name)),
      ].map((name) => `${path}: ${name}`);
    });

    expect(problems).toEqual([]);
  });
});

describe('CONTRIBUTING.md', () => {
  it('says of every package in the program why it is there, or of another one of its scope', () => {
    const table = documentAt('CONTRIBUTING.md').split('## Libraries and own code')[1] ?? '';
    const isNamed = (name: string) =>
      table.includes(`\`${name}\``) || (name.startsWith('@') && table.includes(`\`${name.split('/')[0]}/`));

    expect(bundled).toContain('graphql');
    expect(bundled.filter((name) => !isNamed(name))).toEqual([]);
  });
});

describe('README.md', () => {
  it('is read in a few minutes: at most 200 lines', () => {
    expect(documentAt('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it('leads to every other document', () => {
    const links = found(documentAt('README.md'), /\]\(([^)\s#]+)/g);
    const others = DOCUMENTS.map(({ path }) => path).filter((path) => /^(docs\/|[A-Z]+\.md)/.test(path));

    expect(others.filter((path) => path !== 'README.md' && !links.includes(path))).toEqual([]);
  });

  it('shows pictures that exist, with a text for those who cannot see them', () => {
    const pictures = [...documentAt('README.md').matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)];

    expect(pictures.map(([, , path]) => path)).toEqual(['docs/dump-page.png', 'docs/flow.svg']);
    for (const [, text] of pictures) expect(text?.length).toBeGreaterThan(50);
  });
});

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const path = file === '' ? from : posix.join(posix.dirname(from), file);
  if (!exists(path)) return false;
  return anchor === undefined || anchorsOf(readText(path)).includes(anchor);
}

/** As GitHub makes them: lower case, punctuation removed, spaces to hyphens. */
function anchorsOf(text: string): string[] {
  return found(text, /^#{1,6} (.+)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
