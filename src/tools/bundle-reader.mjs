import { builtinModules } from 'node:module';
import { build } from 'esbuild';

/**
 * Bundles the reader as the library that `import … from 'coredock'` gives: one file that runs in browsers as well as in
 * Node.js, and reaches no module of Node.js.
 *
 * @returns name of the file, and esbuild's inputs
 */
export async function bundleReader(outdir) {
  const { metafile } = await build({
    entryPoints: { reader: 'src/crashdump/index.ts' },
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    inject: ['src/tools/buffer-of-browsers.mjs'],
    plugins: [systemOfBrowsers],
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  if (imports.length > 0) throw new Error(`the reader imports ${imports.map(({ path }) => path).join(', ')}`);
  return { files: ['reader.js'], inputs: metafile.inputs };
}

const systemOfBrowsers = {
  name: 'what browsers have instead of Node.js',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /\/system\.js$/ }, ({ kind, pluginData }) =>
      pluginData === 'resolved'
        ? undefined
        : resolve('./src/crashdump/system.browser.ts', {
            kind,
            resolveDir: process.cwd(),
            pluginData: 'resolved',
          }),
    );
    // esbuild only warns.
    onResolve({ filter: /^[a-z_/:]+$/ }, ({ path, importer }) =>
      path.startsWith('node:') || builtinModules.includes(path)
        ? { errors: [{ text: `${importer} imports ${path}, which browsers do not have` }] }
        : undefined,
    );
  },
};
