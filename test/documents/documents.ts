import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = new URL('../../', import.meta.url);

export interface MarkdownDocument {
  /** From the root of the repository: `docs/api.md`. */
  readonly path: string;
  readonly text: string;
}

/** All that people read about the project; `test/bench/README.md` alone may hold measured numbers. */
export const DOCUMENTS: readonly MarkdownDocument[] = [
  ...markdownIn(''),
  ...markdownIn('docs/'),
  ...['grafana', 'prometheus', 'systemd'].map((folder) => `packaging/${folder}/README.md`),
  'test/bench/README.md',
  'test/fixtures/README.md',
].map((path) => ({ path, text: readText(path) }));

/** Those that tell what is true now; the changelog tells what was. */
export const CURRENT = DOCUMENTS.filter(({ path }) => path !== 'CHANGELOG.md');

export function documentAt(path: string): string {
  const document = DOCUMENTS.find((it) => it.path === path);
  if (document === undefined) throw new Error(`there is no document ${path}`);
  return document.text;
}

export function readText(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(fileURLToPath(new URL(path, ROOT)));
}

/** What the pattern's group finds, each once. */
export function found(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name ?? ''))];
}

/** The rows of the table whose head begins with these cells, a list of cells each. */
export function tableAfter(text: string, head: string): string[][] {
  const [, after] = text.split(`${head}\n`);
  if (after === undefined) throw new Error(`no table begins with ${head}`);
  const rows = after.split('\n').slice(1);
  return rows
    .slice(
      0,
      rows.findIndex((row) => !row.startsWith('|')),
    )
    .map((row) =>
      row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** The code of a document: what stands between backticks, and its blocks but those of a device's C and settings. */
export function codeOf(text: string): string {
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  const inline = text.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([^`]+)`/g);
  return [
    ...blocks.filter(([, language]) => language !== 'c').map(([, , code]) => code),
    ...[...inline].map(([, code]) => code),
  ].join('\n');
}

/** The comment lines of a source. */
export function commentsOf(text: string): string {
  return (text.match(/^\s*(?:\/\/|\/?\*).*$/gm) ?? []).join('\n');
}

/** Every source file below a folder. */
export function sourcesBelow(folder: string): string[] {
  return readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder.replace(/\/$/, '')}/${name}`)
    .filter((path) => /\.(ts|tsx|cts|mjs)$/.test(path) && !path.includes('/generated/'))
    .filter((path) => statSync(fileURLToPath(new URL(path, ROOT))).isFile());
}

function markdownIn(folder: string): string[] {
  return readdirSync(new URL(folder, ROOT))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}${name}`);
}
