import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, normalizePath, type Plugin } from 'vite';

/** The web page: `src/dashboard` becomes `dist/page`, which `src/http/dashboard-assets.ts` serves. */
export default defineConfig({
  root: 'src/dashboard',
  // The server makes the addresses in index.html absolute, below the path of PUBLIC_URL.
  base: './',
  plugins: [ownDocuments(), react(), precompressed(), inputs()],
  worker: {
    format: 'es',
    plugins: () => [systemOfBrowsers()],
    rolldownOptions: { transform: { inject: { Buffer: ['buffer/', 'Buffer'] } } },
  },
  build: {
    outDir: '../../dist/page',
    emptyOutDir: true,
    target: 'es2022',
    // Browsers that know light-dark(), which both themes are written in.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // A data: URL would need an exception in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What pages share comes in one file: each further one costs more in headers than it weighs.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: 'parts', test: /src\/dashboard\/(api|parts|shell|session\/(?!oidc)|base-path)/ }],
        },
      },
    },
  },
});

/**
 * Each page has its own GraphQL documents. As `npm run codegen` writes them, one file has those of all pages, which would
 * be part of every first view.
 */
function ownDocuments(): Plugin {
  const dashboard = normalizePath(join(import.meta.dirname, 'src/dashboard'));
  const generated = `${dashboard}/generated`;
  const prefix = '\0coredock:document/';
  let all = Promise.resolve('');
  return {
    name: 'coredock:own-documents',
    enforce: 'pre',
    buildStart() {
      all = readFile(`${generated}/graphql.ts`, 'utf8');
    },
    transform(code, id) {
      if (!id.startsWith(dashboard) || id.startsWith(generated)) return null;
      const names = new Set<string>();
      const changed = code.replace(
        /\bgraphql\(\s*`\s*(query|mutation|subscription|fragment) (\w+)[^`]*`,?\s*\)/g,
        (_call, kind: string, name: string) => {
          // Documents have the fragments that they use in them.
          if (kind === 'fragment') return 'undefined';
          names.add(`${name}Document`);
          return `${name}Document`;
        },
      );
      const imports = [...names].map((name) => `import { ${name} } from '${prefix}${name}';`);
      return changed === code ? null : { code: `${imports.join('')}${changed}`, map: null };
    },
    resolveId: (id) => (id.startsWith(prefix) ? id : null),
    async load(id) {
      if (!id.startsWith(prefix)) return null;
      const name = id.slice(prefix.length);
      const pattern = new RegExp(`^export const ${name} = (.*) as unknown as DocumentNode<`, 'm');
      const document = pattern.exec(await all);
      if (document === null) throw new Error(`${name} is not generated: run "npm run codegen"`);
      return `export const ${name} = ${document[1]};`;
    },
  };
}

/** The reader of crashes takes from browsers what `src/crashdump/system.ts` takes from Node.js. */
function systemOfBrowsers(): Plugin {
  const reader = normalizePath(join(import.meta.dirname, 'src/crashdump'));
  return {
    name: 'coredock:system-of-browsers',
    enforce: 'pre',
    resolveId(id, importer = '') {
      if (importer.startsWith(reader) && id.endsWith('/system.js')) return `${reader}/system.browser.ts`;
      if (id.startsWith('node:')) this.error(`${importer} imports ${id}, which browsers do not have`);
      return null;
    },
  };
}

/** Beside every text file its `.br` and `.gz`: compressed once and well instead of at every request. */
function precompressed(): Plugin {
  return {
    name: 'coredock:precompressed',
    async writeBundle({ dir = '' }) {
      const names = await readdir(dir, { recursive: true });
      for (const name of names.filter((file) => /\.(html|js|css|svg)$/.test(file))) {
        const content = await readFile(join(dir, name));
        await writeFile(join(dir, `${name}.br`), await promisify(brotliCompress)(content));
        await writeFile(join(dir, `${name}.gz`), await promisify(gzip)(content, { level: 9 }));
      }
    },
  };
}

/** The files that the page is made of, for THIRD-PARTY-NOTICES (src/tools/third-party-notices.mjs). */
function inputs(): Plugin {
  return {
    name: 'coredock:inputs',
    async writeBundle(_options, bundle) {
      const names = Object.values(bundle).flatMap((file) =>
        file.type === 'chunk' ? Object.keys(file.modules) : [],
      );
      await writeFile('dist/.page-inputs.json', JSON.stringify(names));
    },
  };
}
