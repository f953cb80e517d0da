import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Their content is in the program, and no module of the bundle says so: the addon of SQLite, the files of GraphiQL. */
const COPIED = ['@photostructure/sqlite', '@graphql-yoga/render-graphiql'];

/** What those two contain of others, as their own documentation and sources name it. */
const INSIDE = `SQLite (in @photostructure/sqlite) is in the public domain: https://sqlite.org/copyright.html

GraphiQL, Monaco Editor, React, Radix UI and other packages under the MIT License are in @graphql-yoga/render-graphiql.`;

/**
 * The packages whose code is in the program, each once.
 *
 * @param inputs paths of files, from the bundlers
 * @returns sorted by name: name, version, licence, and the folder in `node_modules`
 */
export function bundledPackages(inputs) {
  const folders = new Set(COPIED.map((name) => `node_modules/${name}`));
  for (const input of inputs) {
    const [, folder] = /(?:^|\/)(node_modules\/.*)$/.exec(input.replaceAll('\\', '/')) ?? [];
    const [inside] = folder?.match(/^(?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+/) ?? [];
    if (inside !== undefined) folders.add(inside.slice(0, -1));
  }
  return [...folders]
    .map((folder) => {
      const { name, version, license, licenses } = JSON.parse(
        readFileSync(join(folder, 'package.json'), 'utf8'),
      );
      return { name, version, license: license ?? licenses?.[0]?.type, folder };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The text of THIRD-PARTY-NOTICES: every package, and every licence once. */
export function thirdPartyNotices(packages) {
  const byText = new Map();
  for (const { name, version, license, folder } of packages) {
    const text = licenceTextOf(folder) ?? `License: ${license}`;
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const sections = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}`);
  return ['Coredock contains the following packages.', INSIDE, ...sections].join(`\n\n${'-'.repeat(80)}\n\n`);
}

function licenceTextOf(folder) {
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  return files.length === 0
    ? null
    : files
        .sort()
        .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
        .join('\n\n');
}
