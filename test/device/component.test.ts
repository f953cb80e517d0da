import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMPONENT, sourcesIn } from './support/build-device.js';

const read = (name: string) => readFileSync(join(COMPONENT, name), 'utf8');
const sources = [...sourcesIn(join(COMPONENT, 'src')), ...headersIn('src'), ...headersIn('include')].map(
  (path) => readFileSync(path, 'utf8'),
);

function headersIn(folder: string): string[] {
  return readdirSync(join(COMPONENT, folder))
    .filter((name) => name.endsWith('.h'))
    .map((name) => join(COMPONENT, folder, name));
}

const unique = (names: Iterable<string>) => [...new Set(names)].sort();
const matches = (text: string, pattern: RegExp) =>
  unique([...text.matchAll(pattern)].map(([, name]) => name ?? ''));

describe('the component for the registries', () => {
  it('has one version everywhere', () => {
    const version = /^version: "(.+)"$/m.exec(read('idf_component.yml'))?.[1] ?? 'none';

    expect(JSON.parse(read('library.json'))).toMatchObject({ version });
    expect(read('library.properties')).toContain(`\nversion=${version}\n`);
    expect(read('CHANGELOG.md')).toContain(`\n## ${version}\n`);
    expect(read('README.md')).toContain(`coredock/coredock^${version}`);
    expect(read('examples/coredock/main/idf_component.yml')).toContain(`"^${version}"`);
  });

  it('builds all of its sources, and names what the registry asks for', () => {
    const built = matches(read('CMakeLists.txt'), /"src\/([\w]+\.c)"/g);
    const manifest = read('idf_component.yml');

    expect(built).toEqual(sourcesIn(join(COMPONENT, 'src')).map((path) => basename(path)));
    expect(read('LICENSE')).toContain('MIT License');
    for (const field of [
      'description',
      'license: MIT',
      'url',
      'repository',
      'documentation',
      'issues',
      'idf: ">=5.0"',
    ])
      expect(manifest).toContain(field);
    expect(manifest).not.toMatch(/\bpath: \.|git:|\$\{/);
  });

  it('documents every option, and uses every one', () => {
    const options = matches(read('Kconfig'), /^ {4}config (COREDOCK_\w+)$/gm);
    const used = matches(sources.join('\n') + read('CMakeLists.txt'), /CONFIG_(COREDOCK_\w+)/g);
    const helps = read('Kconfig').match(/^ {8}help$/gm)?.length ?? 0;

    expect(used).toEqual(options);
    expect(helps).toBeGreaterThanOrEqual(options.length - 2);
  });

  it('has the same defaults without Kconfig', () => {
    const kconfig = read('Kconfig')
      .split(/^ {4}config /m)
      .slice(1);
    const numbers = kconfig.flatMap((option) => {
      const found = /^(\w+)[\s\S]*?^ {8}default (\d+)$/m.exec(option);
      return found === null ? [] : [`#define CONFIG_${found[1]} ${found[2]}`];
    });

    expect(numbers.length).toBeGreaterThan(8);
    for (const number of numbers) expect(read('src/options.h')).toContain(number);
  });

  it('names only options that exist, in its documents', () => {
    const devices = readFileSync('docs/devices.md', 'utf8').split('## CI')[0];
    const options = matches(read('Kconfig'), /^ {4}config (COREDOCK_\w+)$/gm);
    const documents = [read('README.md'), read('include/coredock.h'), devices].join('\n');

    const named = matches(documents, /(?:CONFIG_|`)(COREDOCK_[A-Z_]+)/g).filter(
      (name) => !/_(NAME|TEXT)_MAX$/.test(name),
    );

    expect(named.filter((name) => !options.includes(name))).toEqual([]);
  });

  it('includes no header by Wi-Fi, and no function of ESP-IDF that knows it', () => {
    expect(sources.join('\n')).not.toMatch(/esp_wifi|WIFI_IF/);
  });
});
