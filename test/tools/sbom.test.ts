import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const component = z.object({
  type: z.enum(['application', 'library']),
  'bom-ref': z.string(),
  name: z.string(),
  version: z.string(),
  purl: z.string().regex(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+/),
  licenses: z.array(z.object({ expression: z.string() })).length(1),
  hashes: z
    .array(z.object({ alg: z.literal('SHA-512'), content: z.string().regex(/^[0-9a-f]{128}$/) }))
    .optional(),
});
const bom = z
  .object({
    bomFormat: z.literal('CycloneDX'),
    specVersion: z.literal('1.6'),
    metadata: z.object({ component }),
    components: z.array(component),
    dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
  })
  .parse(JSON.parse(execFileSync(process.execPath, ['src/tools/sbom.mjs'], { cwd: ROOT, encoding: 'utf8' })));

describe('npm run sbom', () => {
  it('lists every package whose licence is shipped, in its version, and no other', () => {
    const notices = readFileSync(`${ROOT}dist/THIRD-PARTY-NOTICES.txt`, 'utf8');
    const named = notices.match(/^(@[\w.-]+\/)?[\w.-]+ \d+\.\d+\.\d+\S* \(.+\)$/gm) ?? [];

    expect(bom.components.length).toBeGreaterThan(50);
    expect(
      bom.components.map(({ name, version, licenses }) => `${name} ${version} (${licenses[0]?.expression})`),
    ).toEqual([...named].sort((a, b) => ((a.split(' ')[0] ?? '') < (b.split(' ')[0] ?? '') ? -1 : 1)));
  });

  it('has what the server and the page are made of, and nothing of what only builds and tests them', () => {
    const names = bom.components.map(({ name }) => name);

    expect(names).toEqual(
      expect.arrayContaining(['@photostructure/sqlite', 'graphql', 'pg', 'pino', 'piscina', 'react', 'zod']),
    );
    for (const tool of ['vitest', 'esbuild', 'vite', 'typescript', 'prisma', 'playwright-core', 'knip']) {
      expect(names).not.toContain(tool);
    }
  });

  it('has the hash of each package, and says that all of them are in the program', () => {
    const { name, version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));

    expect(bom.metadata.component).toMatchObject({ type: 'application', name, version });
    expect(bom.components.filter(({ hashes = [] }) => hashes.length !== 1)).toEqual([]);
    expect(bom.dependencies).toEqual([
      { ref: bom.metadata.component.purl, dependsOn: bom.components.map(({ purl }) => purl) },
    ]);
  });
});
