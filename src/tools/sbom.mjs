/**
 * Prints the bill of materials of the built program (CycloneDX): the packages whose code is in the bundle and the page,
 * as the build has found them. Nothing else of `node_modules` is shipped.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

const packages = readJson('dist/.packages.json');
const { packages: locked } = readJson('package-lock.json');
const ours = readJson('package.json');
const components = packages.map(({ name, version, license, folder }) => ({
  type: 'library',
  'bom-ref': purlOf(name, version),
  name,
  version,
  purl: purlOf(name, version),
  scope: 'required',
  ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
  hashes: hashesOf(locked[folder]?.integrity),
}));
const self = purlOf(ours.name, ours.version);

const bom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: {
    component: {
      type: 'application',
      'bom-ref': self,
      name: ours.name,
      version: ours.version,
      description: ours.description,
      purl: self,
      licenses: [{ expression: ours.license }],
    },
  },
  components,
  // Everything is in one bundle, so that which package wanted which is of no use to its reader.
  dependencies: [{ ref: self, dependsOn: components.map(({ purl }) => purl) }],
};
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);

/** https://github.com/package-url/purl-spec: the `@` of a scope is encoded. */
function purlOf(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** The hash of the tarball that the registry gave, as the lock file has it. */
function hashesOf(integrity) {
  const [, content] = /^sha512-(.+)$/.exec(integrity ?? '') ?? [];
  return content === undefined
    ? []
    : [{ alg: 'SHA-512', content: Buffer.from(content, 'base64').toString('hex') }];
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
