import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/** What is started by its name: the keys are names of files in `dist/`, as src/platform/program-files.ts has them. */
const ENTRIES = {
  cli: 'src/cli.ts',
  demo: 'src/demo/main.ts',
  'parse-worker': 'src/sidecar/worker.ts',
  'publish-worker': 'src/platform/blobs/files/publish-worker.ts',
  'query-worker': 'src/graphql/server/query-worker.ts',
  // piscina starts the file of this name beside its own code.
  worker: 'node_modules/piscina/dist/worker.js',
};
/** Packages look for these, and do without. */
const OPTIONAL = ['pg-native', '@napi-rs/nice', 'bufferutil', 'utf-8-validate'];
const ADDONS = 'node_modules/@photostructure/sqlite/prebuilds';

/** @returns names of the files, and esbuild's inputs */
export async function bundleProgram(outdir) {
  const compilers = [];
  const { metafile } = await build({
    entryPoints: ENTRIES,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: OPTIONAL,
    // CommonJS packages need `require`, and these two names.
    banner: {
      js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);",
    },
    inject: ['src/tools/file-names-of-commonjs.mjs'],
    // Or graphql and other packages make extra checks at every step.
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [nativeAddon, queryCompilers(outdir, compilers)],
    // The licences are in THIRD-PARTY-NOTICES.
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const files = Object.keys(metafile.outputs).map((file) => file.slice(outdir.length + 1));
  return { files: [...files, ...compilers], inputs: metafile.inputs };
}

/** `bin` and what it needs before the first ES module is loaded; see src/coredock.cts. @returns names of files */
export async function compileLaunchers(outdir) {
  const names = ['coredock', 'bundled-parse'];
  await build({
    entryPoints: names.map((name) => `src/${name}.cts`),
    outdir,
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
  });
  return names.map((name) => `${name}.cjs`);
}

/** SQLite for all systems, as prebuilt by its package. @returns names of files */
export function copyAddons(outdir) {
  return readdirSync(ADDONS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      const system = parentPath.slice(ADDONS.length + 1);
      const libc = system.startsWith('linux') ? `-${/\.(glibc|musl)\.node$/.exec(name)[1]}` : '';
      const target = `sqlite-${system}${libc}.node`;
      copyFileSync(join(parentPath, name), join(outdir, target));
      return target;
    });
}

const nativeAddon = {
  name: 'native addon of SQLite',
  setup({ onResolve }) {
    onResolve({ filter: /^node-gyp-build$/ }, () => ({
      path: join(process.cwd(), 'src/platform/database/sqlite/native-addon.ts'),
    }));
  },
};

/** Prisma's query compilers, which come as text in base64, become files: smaller, and read without decoding. */
const queryCompilers = (outdir, written) => ({
  name: 'query compilers of Prisma',
  setup({ onLoad }) {
    onLoad({ filter: /query_compiler_small_bg\.\w+\.wasm-base64\.mjs$/ }, ({ path }) => {
      const name = `${/query_compiler_small_bg\.\w+/.exec(path)[0].replaceAll(/[._]/g, '-')}.wasm`;
      const { wasm } = createRequire(import.meta.url)(path.replace(/\.mjs$/, '.js'));
      writeFileSync(join(outdir, name), Buffer.from(wasm, 'base64'));
      written.push(name);
      return {
        contents: `import { readFileSync } from 'node:fs';
          export const wasm = readFileSync(new URL(${JSON.stringify(`./${name}`)}, import.meta.url));`,
        resolveDir: dirname(path),
      };
    });
  },
});
