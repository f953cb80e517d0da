import { compareVersions, validate } from 'compare-versions';

/** What `git describe` appends to the tag: commits since it, the commit, and whether files were changed. */
const GIT_DESCRIBE = /-(\d+)-g[0-9a-f]{4,40}(-dirty)?$/;

/**
 * Orders two firmware versions: by Semantic Versioning, "v1.2" and "1.2.0.4" allowed; what `git describe` calls
 * `1.2.0-5-gabc1234` comes five commits after 1.2.0.
 *
 * @returns below, at or above 0; null when one of them is no version by these rules, such as a date or the name of a branch
 */
export function orderOfVersions(a: string, b: string): number | null {
  const [left, right] = [a, b].map(takeApart);
  if (left === undefined || right === undefined) return null;
  if (!validate(left.base) || !validate(right.base)) return null;
  return compareVersions(left.base, right.base) || left.commits - right.commits;
}

function takeApart(version: string): { base: string; commits: number } {
  const clean = version.trim().replace(/-dirty$/, '');
  const described = GIT_DESCRIBE.exec(clean);
  return described === null
    ? { base: clean, commits: 0 }
    : { base: clean.slice(0, described.index), commits: Number(described[1]) };
}
