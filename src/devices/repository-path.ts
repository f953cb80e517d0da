/**
 * The name of a source file inside its repository: `main/app.c` for `/builds/acme/fw/main/app.c`. Null for a file that
 * is elsewhere: the toolchain's, ESP-IDF's, or one whose prefix nobody named.
 */
export function pathInRepository(
  file: string,
  { sourceUrl, sourcePrefixes }: { sourceUrl: string | null; sourcePrefixes: readonly string[] },
): string | null {
  const name = withSlashes(file);
  return normalized(stripped(name, sourcePrefixes) ?? withoutWorkspace(name, sourceUrl));
}

/** Windows builds name files with backslashes. */
function withSlashes(file: string): string {
  return file.replaceAll('\\', '/').replace(/^([a-z]):\//, (_, drive: string) => `${drive.toUpperCase()}:/`);
}

function stripped(name: string, prefixes: readonly string[]): string | null {
  const fitting = prefixes
    .map((prefix) => `${withSlashes(prefix.trim()).replace(/\/+$/, '')}/`)
    .filter((prefix) => prefix !== '/' && name.startsWith(prefix))
    .sort((a, b) => b.length - a.length);
  const [longest] = fitting;
  return longest === undefined ? null : name.slice(longest.length);
}

/** Where the usual CI services and ESP-IDF's reproducible builds have a repository. */
const WORKSPACES: readonly RegExp[] = [
  /^\/home\/runner\/work\/[^/]+\/[^/]+\//, // GitHub's runners
  /^\/__w\/[^/]+\/[^/]+\//, // their containers
  /^\/github\/workspace\//, // their container actions
  /^[A-Z]:\/a\/[^/]+\/[^/]+\//, // their Windows runners
  /^\/IDF_PROJECT\//, // CONFIG_APP_REPRODUCIBLE_BUILD
];

/** GitLab builds in `/builds/{group}/{project}/`, which the template's address names too. */
function withoutWorkspace(name: string, sourceUrl: string | null): string {
  const gitlab = `/builds/${repositoryOf(sourceUrl)}/`;
  if (gitlab !== '/builds//' && name.startsWith(gitlab)) return name.slice(gitlab.length);
  for (const workspace of WORKSPACES) if (workspace.test(name)) return name.replace(workspace, '');
  return name;
}

/** `acme/fw` of `https://gitlab.example.com/acme/fw/-/blob/{revision}/{path}`. */
function repositoryOf(sourceUrl: string | null): string {
  const [, repository = ''] =
    /^https:\/\/[^/]+\/([^{}?#]+?)\/(?:-\/)?(?:blob|src)\//.exec(sourceUrl ?? '') ?? [];
  return repository;
}

/** Relative, without `.`, `..` and double slashes; null when it is absolute or leads out of the repository. */
function normalized(path: string): string | null {
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path) || /\p{Cc}/u.test(path)) return null;
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.pop() === undefined) return null;
  }
  return segments.length === 0 ? null : segments.join('/');
}
