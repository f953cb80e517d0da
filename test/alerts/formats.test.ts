import { describe, expect, it } from 'vitest';
import { ALERT_EVENTS, type Alert, bodyOf } from '../../src/alerts/formats.js';

const HOSTILE = {
  'a link': '[x](http://evil.example)',
  'a link by reference': '[x][y]',
  'a bare address': 'see https://evil.example/a?b or www.evil.example',
  'a Slack link': '<http://evil.example|click>',
  'a Slack mention': '<!channel> <!here> <@U012> <#C012> <!subteam^S01>',
  'an entity': '&lt;!channel&gt;',
  'a mention': '@everyone @here @channel @all <@123> <@&456> <#789>',
  'an emoji': '<:x:123> <a:x:123> :skull:',
  'a time': '<t:1>',
  emphasis: '*a* **b** _c_ __d__ ~~e~~ ||f|| `g` ```h```',
  'a heading, a quote, a list': '# a\n> b\n>>> c\n- d\n* e\n1. f',
  'a backslash before markup': '\\[x\\](http://evil.example) \\*a*',
  'lines of its own': 'a\r\nb\u2028c\u2029d\u0085e\u000bf',
  'colours of a terminal': '\u001b[31mred\u001b[0m \u009b31m \u001b]8;;http://evil.example\u0007x',
  'control characters': 'a\u0000b\u0007c\u007fd',
  'another writing direction': 'a\u202eb\u2066c\u200fd',
  'what nobody sees': 'a\u200bb\u2060c\ufeffd',
  'half a character': 'a\ud800b',
  'far too much': '*'.repeat(100_000),
  'far too many characters of two halves': '\u{1f480}'.repeat(50_000),
} as const;

function anAlert(event: Alert['event'], text: string): Alert {
  const group = { id: 'x', title: text, reason: text, count: 3, deviceCount: 2, crashesInHour: 3 };
  return { event, at: '2026-02-11T14:30:00.000Z', group: { ...group, firmwareVersion: text } };
}

describe.each(Object.entries(HOSTILE))('%s in every field of an alert', (_, text) => {
  it.each(ALERT_EVENTS)('is inert in Discord: %s', (event) => {
    const body = JSON.parse(bodyOf(anAlert(event, text), 'DISCORD'));

    expect(body.allowed_mentions).toEqual({ parse: [] });
    expect(body.content.length).toBeLessThanOrEqual(2_000);
    expectOneLine(body.content);
    // Whatever is left without a backslash, which makes the next character itself, is our own sentence or harmless.
    expect(body.content.replace(/^[\w ]+: /, '').replace(/\\./g, '')).not.toMatch(/[*_~`|<>[\]()@#\\]|:\/\//);
  });

  it.each(ALERT_EVENTS)('is inert in Slack, and where its form is spoken: %s', (event) => {
    const body = JSON.parse(bodyOf(anAlert(event, text), 'SLACK'));

    expect(body).toMatchObject({ mrkdwn: false, unfurl_links: false, unfurl_media: false });
    expect(body.text.length).toBeLessThan(4_000);
    expectOneLine(body.text);
    expect(body.text).not.toMatch(/[<>]|&(?!(amp|lt|gt);)|@\w|:\/\/|\]\(|\]\[|\bwww\.\w/);
  });

  it.each(ALERT_EVENTS)('is data in the generic form: %s', (event) => {
    const told = anAlert(event, text);
    const body = bodyOf(told, 'GENERIC');

    expect(JSON.parse(body)).toEqual(told);
    expect([...body].every((character) => character >= ' ')).toBe(true);
  });
});

it('what is harmless stays as it was', () => {
  const told = anAlert('NEW', 'LoadProhibited in Sensor<int>::read(unsigned) (sensor.cpp:12)');

  expect(JSON.parse(bodyOf(told, 'SLACK')).text).toContain(
    'LoadProhibited in Sensor&lt;int&gt;::read(unsigned) (sensor.cpp:12)',
  );
});

function expectOneLine(text: string): void {
  expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
  // The only invisible character is the one that we put in.
  expect(text.replaceAll('\u200b', '')).not.toMatch(/\p{Cf}/u);
}

describe('the link to the crash group', () => {
  const told = anAlert('NEW', 'a crash');
  const url = 'https://example.org/coredock/groups/x';

  it.each([
    ['GENERIC', (body: string) => JSON.parse(body).url],
    ['SLACK', (body: string) => JSON.parse(body).text.split(' ').at(-1)],
    ['DISCORD', (body: string) => JSON.parse(body).content.split(' ').at(-1)],
  ] as const)('begins with the address of the page: %s', (format, linkIn) => {
    expect(linkIn(bodyOf(told, format, 'https://example.org/coredock'))).toBe(url);
  });

  it('is absent where that address is not known, and in a test', () => {
    const test: Alert = { event: 'TEST', at: told.at, group: null };

    for (const format of ['GENERIC', 'SLACK', 'DISCORD'] as const) {
      expect(bodyOf(told, format)).not.toContain('/groups/');
      expect(bodyOf(test, format, 'https://example.org')).not.toContain('https:');
    }
  });
});
