import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareUrlOf,
  deviceUrlOf,
  type ModelLinks,
  NO_LINKS,
  newTicketUrlOf,
  requireLinks,
  revisionUrlOf,
  sourceUrlOf,
} from '../../src/devices/model-links.js';

const GITHUB = 'https://github.com/acme/fw/blob/{revision}/{path}#L{line}';
const GITLAB = 'https://git.example.com/iot/acme/fw/-/blob/{revision}/{path}#L{line}';

const links = (some: Partial<ModelLinks>): ModelLinks => ({ ...NO_LINKS, ...some });
const source = (file: string, some: Partial<ModelLinks> = {}, revision: string | null = '9f3c2a1') =>
  sourceUrlOf(links({ sourceUrl: GITHUB, ...some }), revision, { file, line: 42 });

describe('the link of a frame', () => {
  it.each([
    ['a relative name', 'main/app.c', [], 'main/app.c'],
    ['the named prefix', '/srv/build/main/app.c', ['/srv/build'], 'main/app.c'],
    ['the longest prefix', '/srv/fw/main/app.c', ['/srv', '/srv/fw/'], 'main/app.c'],
    ['a Windows build', 'c:\\work\\fw\\main\\app.c', ['C:\\work\\fw'], 'main/app.c'],
    ['steps inside the repository', '/srv/fw/build/../main/./app.c', ['/srv/fw'], 'main/app.c'],
    ["GitHub's runners", '/home/runner/work/fw/fw/main/app.c', [], 'main/app.c'],
    ['reproducible builds', '/IDF_PROJECT/main/app.c', [], 'main/app.c'],
    ['odd characters', 'main/a b#c?%41é.c', [], 'main/a%20b%23c%3F%2541%C3%A9.c'],
  ])('leads to the line: %s', (_, file, sourcePrefixes, path) => {
    expect(source(file, { sourcePrefixes })).toBe(`https://github.com/acme/fw/blob/9f3c2a1/${path}#L42`);
  });

  it('finds the repository in the names of GitLab builds', () => {
    expect(source('/builds/iot/acme/fw/main/app.c', { sourceUrl: GITLAB })).toBe(
      'https://git.example.com/iot/acme/fw/-/blob/9f3c2a1/main/app.c#L42',
    );
  });

  it.each([
    ['an absolute name', '/opt/esp/idf/components/freertos/tasks.c', []],
    ['a name on a drive', 'C:/esp/tasks.c', []],
    ['a prefix that only begins alike', '/srv/fw-old/main.c', ['/srv/fw']],
    ['a step out of the repository', '/srv/fw/../secret.c', ['/srv/fw']],
    ['an absolute name after the prefix', '/srv/fw//etc/passwd', []],
    ['a folder', '/srv/fw/', ['/srv/fw']],
  ])('is missing for %s', (_, file, sourcePrefixes) => {
    expect(source(file, { sourcePrefixes })).toBeNull();
  });

  it('is missing without what its template needs', () => {
    expect(source('main/app.c', {}, null)).toBeNull();
    expect(source('main/app.c', { sourceUrl: null })).toBeNull();
    expect(source('main/app.c', { sourceUrl: 'https://x.example/{path}' }, null)).toBe(
      'https://x.example/main/app.c',
    );
    const template = links({ sourceUrl: GITHUB });
    expect(sourceUrlOf(template, 'a', { file: null, line: 1 })).toBeNull();
    expect(sourceUrlOf(template, 'a', { file: 'a.c', line: null })).toBeNull();
    expect(sourceUrlOf(template, 'a', { file: 'a.c', line: 0 })).toBeNull();
  });
});

describe('other links', () => {
  it('lead to the sources of a revision', () => {
    expect(revisionUrlOf({ sourceUrl: GITLAB }, '9f3c2a1')).toBe(
      'https://git.example.com/iot/acme/fw/-/tree/9f3c2a1',
    );
    expect(revisionUrlOf({ sourceUrl: 'https://x.example/{path}?at={revision}' }, 'a')).toBeNull();
  });

  it('compare two revisions', () => {
    const some = links({ compareUrl: 'https://github.com/acme/fw/compare/{from}...{to}' });

    expect(compareUrlOf(some, 'a1', 'b2')).toBe('https://github.com/acme/fw/compare/a1...b2');
    expect(compareUrlOf(some, null, 'b2')).toBeNull();
    expect(compareUrlOf(some, 'b2', 'b2')).toBeNull();
  });

  it('open a new ticket with title and text', () => {
    const ticketUrl = 'https://github.com/acme/fw/issues/new?title={title}&body={body}';

    const address = newTicketUrlOf({ ticketUrl }, { title: 'abort() & more', body: 'a\n\n- b/c=1' });

    expect(new URL(address ?? '').searchParams.get('title')).toBe('abort() & more');
    expect(new URL(address ?? '').searchParams.get('body')).toBe('a\n\n- b/c=1');
  });

  it('cut a long text of a ticket, and not in the middle of a character', () => {
    const ticketUrl = 'https://github.com/acme/fw/issues/new?body={body}';

    const address = newTicketUrlOf({ ticketUrl }, { title: 't', body: '😀'.repeat(9999) }) ?? '';

    expect(address.length).toBeLessThanOrEqual(6000);
    expect(address.length).toBeGreaterThan(4000);
    expect(new URL(address).searchParams.get('body')).toMatch(/^(😀)+\ufffd?…$/u);
  });

  it("lead to the operator's page of a device", () => {
    const device = { key: 'k1', serial: 'SN/1', name: null, model: 'acme' };
    const at = (deviceUrl: string, some = {}) => deviceUrlOf({ deviceUrl }, { ...device, ...some });

    expect(at('https://fleet.example.com/{model}?sn={serial}')).toBe(
      'https://fleet.example.com/acme?sn=SN%2F1',
    );
    expect(at('https://fleet.example.com/{name}')).toBeNull();
    expect(at('https://fleet.example.com/d/{serial}/x', { serial: '..' })).toBeNull();
  });
});

describe('templates that are refused', () => {
  it.each([
    ['http', { sourceUrl: 'http://x.example/{path}' }, 'sourceUrl begins with "https://".'],
    ['another scheme', { sourceUrl: 'javascript:alert(1)//{path}' }, 'sourceUrl begins with "https://".'],
    ['a password', { sourceUrl: 'https://u:p@x.example/{path}' }, /a user name or a password/],
    ['a placeholder in the host', { deviceUrl: 'https://{key}.example/' }, /host name without placeholders/],
    ['a port that is one', { deviceUrl: 'https://x.example:{key}/' }, /host name without placeholders/],
    ['no host', { deviceUrl: 'https:///{key}' }, /host name/],
    ['a backslash', { deviceUrl: 'https://x.example\\{key}' }, /a character that an address cannot have/],
    ['a space', { deviceUrl: 'https://x.example/a {key}' }, /a character that an address cannot have/],
    ['half an escape', { deviceUrl: 'https://x.example/%2/{key}' }, /a character that an address/],
    [
      'an unknown placeholder',
      { sourceUrl: 'https://x.example/{path}/{commit}' },
      /unknown placeholder "\{commit\}": use \{revision\}, \{path\}, \{line\}/,
    ],
    ['an open brace', { sourceUrl: 'https://x.example/{path}/{line' }, /without its partner/],
    ['no path', { sourceUrl: 'https://x.example/{revision}' }, 'sourceUrl needs {path}.'],
    ['steps up', { sourceUrl: 'https://x.example/a/../{path}' }, /must not contain "\." or "\.\."/],
    ['too long', { sourceUrl: `https://x.example/${'a'.repeat(1000)}{path}` }, /at most 1000 characters/],
    ['too many prefixes', { sourcePrefixes: Array(21).fill('/a') }, /at most 20 prefixes/],
    ['an empty prefix', { sourcePrefixes: [' '] }, /A prefix is 1 to 500 characters on one line/],
  ])('%s', (_, some, message) => {
    expect(() => requireLinks(some)).toThrow(message);
  });

  it('and none of the usual ones', () => {
    requireLinks({
      sourceUrl: 'https://git.example.com:8443/iot/fw/src/commit/{revision}/{path}#L{line}',
      compareUrl: 'https://github.com/acme/fw/compare/{from}...{to}',
      ticketUrl:
        'https://acme.atlassian.net/secure/CreateIssueDetails!init.jspa?pid=1&summary={title}&description={body}',
      deviceUrl: 'https://[2001:db8::1]/{serial}',
    });
  });
});

describe('any text of a device or a build', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .array(
        fc.constantFrom(
          '..',
          '.',
          '/',
          '//',
          '\\',
          '%2e',
          '%2F',
          '@',
          ':',
          '?',
          '#',
          'javascript:',
          '{path}',
          'a',
          '\n',
          '\ud800',
        ),
        { maxLength: 8 },
      )
      .map((parts) => parts.join('')),
  );
  const prefix = 'https://x.example:8443/base/';

  it('stays below the host and the path of the template', () => {
    fc.assert(
      fc.property(
        hostile,
        hostile,
        fc.constantFrom('{path}', '{path}?at={path}#{revision}', '{revision}/{path}', '{revision}{path}'),
        (file, revision, rest) => {
          const template = links({ sourceUrl: prefix + rest, sourcePrefixes: ['/srv/fw'] });
          const address = sourceUrlOf(template, revision, { file: `/srv/fw/${file}`, line: 1 });

          if (address === null) return;
          expect(new URL(address).href.startsWith(prefix)).toBe(true);
          expect(new URL(address).href).toBe(address);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('comes back from the query as it was', () => {
    fc.assert(
      fc.property(hostile, hostile, (title, body) => {
        const ticketUrl = `${prefix}?t={title}&b={body}&end=1`;
        const address = newTicketUrlOf({ ticketUrl }, { title, body });

        if (address === null) return;
        const { searchParams } = new URL(address);
        expect([...searchParams.keys()]).toEqual(['t', 'b', 'end']);
        expect(searchParams.get('b')).toBe(body.replace(/[\ud800-\udfff]/gu, '\ufffd'));
      }),
      { numRuns: 300 },
    );
  });
});
