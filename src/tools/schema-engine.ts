import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type * as Bindings from '@prisma/schema-engine-wasm';

/** The part of the WebAssembly API that is used here; @types/node 20 has only the names of its types. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: object,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

/**
 * Prisma's schema engine as WebAssembly; the `prisma` command can only download it as a native program. Its interface
 * is internal to Prisma, so its version is pinned.
 */
export async function openSchemaEngine(
  adapterFactory: SqlDriverAdapterFactory,
): Promise<Bindings.SchemaEngine> {
  const bindings = await loadBindings();
  const adapter = bindMigrationAwareSqlAdapterFactory({
    provider: adapterFactory.provider,
    adapterName: adapterFactory.adapterName,
    connect: () => adapterFactory.connect(),
    connectToShadowDb: () => adapterFactory.connect(),
  });
  return bindings.SchemaEngine.new({ datamodels: undefined }, () => {}, adapter);
}

let loaded: Promise<typeof Bindings> | undefined;

function loadBindings(): Promise<typeof Bindings> {
  loaded ??= instantiate();
  return loaded;
}

/** The package expects that a bundler imports its .wasm file; this does the same. */
async function instantiate(): Promise<typeof Bindings> {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const bindings = await import(pathToFileURL(join(folder, 'schema_engine_bg.js')).href);
  const bytes = await readFile(join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  return bindings;
}
