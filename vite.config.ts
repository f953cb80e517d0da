import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** The web page: `src/dashboard` becomes `dist/page`, which `src/http/dashboard-assets.ts` serves. */
export default defineConfig({
  root: 'src/dashboard',
  // The server makes the addresses in index.html absolute, below the path of PUBLIC_URL.
  base: './',
  plugins: [react(), precompressed(), inputs()],
  build: {
    outDir: '../../dist/page',
    emptyOutDir: true,
    target: 'es2022',
    // Browsers that know light-dark(), which both themes are written in.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // A data: URL would need an exception in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

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
