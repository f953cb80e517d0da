import { notFound } from '../errors.js';
import type { Exchange } from './exchange.js';
import { readStaticFiles, type StaticFiles, sendStaticFile } from './static-files.js';

/**
 * The script, style and workers of GraphiQL, for everybody: they are the same in every installation, and tell nothing of
 * this one. They are large, so they are read when somebody first opens GraphiQL.
 *
 * @param folder as the build writes it; without it there is no GraphiQL
 */
export function createGraphiqlRoute({ folder }: { folder: string }) {
  let files: StaticFiles | undefined;

  return function graphiql({ request, response }: Exchange, name: string): void {
    files ??= readStaticFiles(folder);
    const file = files.get(`/${name}`);
    if (file === undefined) throw notFound('file', name.slice(0, 200));
    sendStaticFile(request, response, file, { cacheControl: 'no-cache' });
  };
}
