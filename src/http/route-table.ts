import type { Route } from './routes.js';

export interface RouteTable {
  /** @param path canonical, as `readTarget` gives it */
  find(path: string): RouteMatch;
}

export interface RouteMatch {
  readonly route: Route;
  /** What stands in the place of the path's ":" segments, decoded. */
  readonly parameters: readonly string[];
}

interface Pattern {
  readonly segments: readonly string[];
  readonly route: Route;
}

/**
 * Most requests find their route by one look-up in a map; only paths that no route has literally are compared by segments.
 *
 * @throws Error when there is no route for what no other matches
 */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const exact = new Map<string, RouteMatch>();
  const patterns: Pattern[] = [];
  for (const route of routes) {
    if (route.path.includes(':')) patterns.push({ segments: route.path.split('/'), route });
    else exact.set(route.path, { route, parameters: [] });
  }
  const otherwise = exact.get('*');
  if (otherwise === undefined) throw new Error('the table has no route for what no other matches');

  return {
    find: (path) => exact.get(path) ?? matchOf(patterns, path) ?? otherwise,
  };
}

function matchOf(patterns: readonly Pattern[], path: string): RouteMatch | null {
  const segments = path.split('/');
  for (const { segments: expected, route } of patterns) {
    if (segments.length !== expected.length) continue;
    if (!expected.every((part, at) => (isParameter(part) ? segments[at] !== '' : segments[at] === part)))
      continue;
    return { route, parameters: segments.filter((_, at) => isParameter(expected[at] ?? '')).map(decoded) };
  }
  return null;
}

function isParameter(segment: string): boolean {
  return segment.startsWith(':');
}

/** Malformed percent signs become an id that does not exist. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
