import type { Route } from './routes.js';

export interface RouteTable {
  /** @param path canonical, as `readTarget` returns it */
  find(path: string): RouteMatch;
}

export interface RouteMatch {
  readonly route: Route;
  /** The values of the path's ":" segments, decoded. */
  readonly parameters: readonly string[];
}

interface Pattern {
  readonly segments: readonly string[];
  readonly route: Route;
}

/**
 * Most requests find their route by one look-up in a map; only paths with parameters are compared by segments.
 *
 * @throws Error when there is no route with the path "*"
 */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const exact = new Map<string, RouteMatch>();
  const patterns: Pattern[] = [];
  for (const route of routes) {
    if (route.path.includes(':')) patterns.push({ segments: route.path.split('/'), route });
    else exact.set(route.path, { route, parameters: [] });
  }
  const fallback = exact.get('*');
  if (fallback === undefined) throw new Error('the table has no route "*" for all other paths');

  return {
    find: (path) => exact.get(path) ?? matchOf(patterns, path) ?? fallback,
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

/** An invalid percent encoding becomes an id that does not exist. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
