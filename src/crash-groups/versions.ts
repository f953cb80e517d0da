import { compareVersions, validate } from 'compare-versions';

/** The suffix of `git describe`: number of commits since the tag, the commit, and whether files were changed. */
const GIT_DESCRIBE = /-(\d+)-g[0-9a-f]{4,40}(-dirty)?$/;

/**
 * Compares two firmware versions by Semantic Versioning; "v1.2" and "1.2.0.4" are accepted too. `1.2.0-5-gabc1234` of
 * `git describe` is five commits after 1.2.0.
 *
 * @returns below, at or above 0; null when one is not a version, such as a date or the name of a branch
 */
export function orderOfVersions(a: string, b: string): number | null {
  const [left, right] = [a, b].map(parseVersion);
  if (left === undefined || right === undefined) return null;
  if (!validate(left.base) || !validate(right.base)) return null;
  return compareVersions(left.base, right.base) || left.commits - right.commits;
}

function parseVersion(version: string): { base: string; commits: number } {
  const clean = version.trim().replace(/-dirty$/, '');
  const described = GIT_DESCRIBE.exec(clean);
  return described === null
    ? { base: clean, commits: 0 }
    : { base: clean.slice(0, described.index), commits: Number(described[1]) };
}
