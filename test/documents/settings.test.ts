import { describe, expect, it } from 'vitest';
import { SETTING_NAMES } from '../../src/config/schema.js';
import { readConfig } from '../../src/config/settings.js';
import { CURRENT, codeOf, documentAt, found, readText, sourcesBelow, tableAfter } from './documents.js';

const rows = tableAfter(documentAt('docs/configuration.md'), '| variable | default | meaning |').map(
  ([name = '', standard = '', meaning = '']) => ({ name: name.replaceAll('`', ''), standard, meaning }),
);

/** Names of other programs: CMake's, Node's. */
const OF_OTHERS = [
  ...['INCLUDE_DIRS', 'NODE_OPTIONS', 'COMPOSE_PROFILES', 'POSTGRES_PASSWORD', 'GARAGE_RPC_SECRET'],
  ...['IDF_COMPONENT_API_TOKEN', 'IDF_COMPONENT_NAMESPACE'],
];

/** Settings without which others are not looked at. */
const EVERYTHING_ON = {
  S3_BUCKET: 'dumps',
  OIDC_ISSUER: 'https://id.example',
  OIDC_AUDIENCE: 'coredock',
  OIDC_CLIENT_ID: 'page',
  PERSISTED_DOCUMENTS: './documents.json',
};

describe('the table of docs/configuration.md', () => {
  it('has every setting, each once and with a meaning', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual([...SETTING_NAMES].sort());
    expect(rows.filter(({ meaning }) => meaning === '')).toEqual([]);
  });

  it.each(rows.flatMap(({ name, standard }) => literalDefault(name, standard)))(
    'names the default that the program has: %s=%s',
    (name, value) => {
      expect(readConfig({ ...EVERYTHING_ON, [name]: value })).toEqual(readConfig(EVERYTHING_ON));
    },
  );
});

describe('names in capital letters', () => {
  const settings = new Set(SETTING_NAMES);
  const schema = readText('schema.graphql');
  const program = sourcesBelow('src').concat(sourcesBelow('test')).map(readText).join('\n');

  it.each(CURRENT)('of $path are settings, or names of the program', ({ text }) => {
    const named = found(codeOf(text), /(?<![\w.-])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w-])/g);
    const unknown = named
      .filter((name) => !settings.has(name) && !schema.includes(name))
      .filter((name) => !name.startsWith('CONFIG_') && !OF_OTHERS.includes(name) && !program.includes(name));

    expect(unknown).toEqual([]);
  });
});

/** Defaults that stand in the table as such; the others are said in words. */
function literalDefault(name: string, standard: string): Array<[name: string, value: string]> {
  const [, value] = /^`([^`]+)`$/.exec(standard) ?? [];
  return value === undefined ? [] : [[name, value]];
}
