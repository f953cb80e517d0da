import { describe, expect, it } from 'vitest';
import { createRoutes, type Handlers } from '../../src/http/routes.js';
import { documentAt, found, tableAfter } from './documents.js';

/** Only their places in the table are asked for. */
const handlers = new Proxy({} as Handlers, { get: () => () => undefined });
const routes = createRoutes(handlers).filter(({ path }) => path !== '*');

/** `/api/coredumps/{id}/download` and `:id` are the same. */
const plain = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1').replace(/\?.*/, '');

describe('the routes', () => {
  it('are in docs/api.md, each with a method that it takes', () => {
    const rows = tableAfter(documentAt('docs/api.md'), '| route | what it does |');
    const documented = rows
      .flatMap(([cell = '']) => found(cell, /`([A-Z]+ [^`]+)`/g))
      .map((call) => call.split(' '));

    expect(documented.map(([, path = '']) => plain(path)).sort()).toEqual(
      routes
        .map(({ path }) => path)
        .filter((path) => path !== '/graphql')
        .sort(),
    );
    for (const [method, path = ''] of documented) {
      expect(routes.find((route) => route.path === plain(path))?.methods, path).toContain(method);
    }
  });
});
