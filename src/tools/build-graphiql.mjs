import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { whenChanged } from './when-changed.mjs';

const PACKAGE = '@graphql-yoga/render-graphiql';

/**
 * GraphiQL as files that browsers load once. Its package has them as texts of a module, which would be a part of the
 * program and of every answer. They are stored compressed: that is how browsers ask for them.
 */
export async function buildGraphiql(folder) {
  await whenChanged(
    join(folder, '.built'),
    ['src/tools/build-graphiql.mjs', `node_modules/${PACKAGE}/package.json`],
    async () => {
      const graphiql = await import(`../../node_modules/${PACKAGE}/esm/graphiql.js`);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      const files = {
        'graphiql.css': graphiql.css,
        'graphiql.js': `${WORKERS};${graphiql.js};${START}`,
        'editor-worker.js': graphiql.editorWorkerService,
        'json-worker.js': graphiql.jsonWorker,
        'graphql-worker.js': graphiql.graphqlWorker,
      };
      for (const [name, text] of Object.entries(files)) {
        writeFileSync(join(folder, `${name}.gz`), gzipSync(text, { level: 9 }));
      }
    },
  );
}

/** The editor asks for its workers by these labels. */
const WORKERS = `{
const base = document.currentScript.src;
const files = { editorWorkerService: 'editor-worker.js', json: 'json-worker.js', graphql: 'graphql-worker.js' };
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => new URL(files[label], base).href };
}`;

/** The page is made by src/graphql/server/graphiql-page.ts. */
const START = `YogaGraphiQL.renderYogaGraphiQL(
  document.getElementById('root'),
  JSON.parse(document.getElementById('graphiql-options').textContent),
);`;
