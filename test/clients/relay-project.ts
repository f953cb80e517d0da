import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ConcreteRequest, ReaderFragment } from 'relay-runtime';
import { onTestFinished } from 'vitest';

const require = createRequire(import.meta.url);
/** The path of the compiler's binary for this machine. */
const COMPILER: string = require('relay-compiler');
const SCHEMA = fileURLToPath(new URL('../../schema.graphql', import.meta.url));

export type RelayProject = Awaited<ReturnType<typeof aRelayProject>>;

/**
 * Compiles GraphQL with relay-compiler, as an application would, and gives its artifacts.
 *
 * @param modules what stands in the `graphql` tags of each module, by the name of the module: Relay wants the names of
 *   operations and fragments to begin with it
 * @throws what the compiler says, where the schema or a document is not as Relay wants it
 */
export async function aRelayProject(modules: Readonly<Record<string, string>>) {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-relay-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'src'));
  await mkdir(join(dir, 'artifacts'));
  const config = {
    ...{ src: './src', schema: './schema.graphql', artifactDirectory: './artifacts', language: 'javascript' },
    ...{ eagerEsModules: false, customScalarTypes: { DateTime: 'string', Upload: 'File' } },
  };
  await writeFile(join(dir, 'relay.config.json'), JSON.stringify(config));
  await copyFile(SCHEMA, join(dir, 'schema.graphql'));
  for (const [name, text] of Object.entries(modules)) {
    await writeFile(join(dir, 'src', `${name}.js`), `graphql\`\n${text.replaceAll('`', '\\`')}\n\`;\n`);
  }
  await compile(dir);

  const artifact = (name: string): unknown => require(join(dir, 'artifacts', `${name}.graphql.js`));
  return {
    request: (name: string) => artifact(name) as ConcreteRequest,
    fragment: (name: string) => artifact(name) as ReaderFragment,
  };
}

async function compile(dir: string): Promise<void> {
  try {
    await promisify(execFile)(COMPILER, ['relay.config.json'], { cwd: dir, timeout: 60_000 });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`relay-compiler: ${stdout}\n${stderr}`);
  }
}
