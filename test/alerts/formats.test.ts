import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exampleAlert } from '../../src/alerts/example.js';
import { discordBody } from '../../src/alerts/formats/discord.js';
import { genericBody } from '../../src/alerts/formats/generic.js';
import { mailOf } from '../../src/alerts/formats/mail.js';
import { ntfyBody, ntfyTarget } from '../../src/alerts/formats/ntfy.js';
import { slackBody } from '../../src/alerts/formats/slack.js';
import { teamsBody } from '../../src/alerts/formats/teams.js';
import { linksOf } from '../../src/alerts/links.js';
import { messageOf } from '../../src/alerts/message.js';
import {
  ALERT_EVENTS,
  type Alert,
  type AlertEvent,
  bareAlert,
  MAX_DIGEST_ITEMS,
} from '../../src/alerts/payload.js';

const PAGE = 'https://example.org/coredock';
const INVISIBLE = '\u200b';
const GROUP_ID = 'Q3Jhc2hHcm91cDox';

const HOSTILE = [
  '[x](http://evil.example)',
  '[x][y]',
  'see https://evil.example/a?b or www.evil.example or a@evil.example',
  '<http://evil.example|click>',
  'see злой.рф/x or злой.example',
  '<!channel> <!here> <@U012> <#C012> <!subteam^S01> <!date^1^x|y>',
  '&lt;!channel&gt; &amp;',
  '@everyone @here @channel @all <@123> <@&456> <#789>',
  '<:x:123> <a:x:123> :skull: <t:1>',
  '*a* **b** _c_ __d__ ~~e~~ ||f|| `g` ```h```',
  '# a\n> b\n>>> c\n- d\n* e\n1. f',
  '\\[x\\](http://evil.example) \\*a*',
  'a\r\nBcc: x@evil.example\r\n\r\nb\u2028c\u2029d\u0085e\u000bf',
  '\u001b[31mred\u001b[0m \u009b31m \u001b]8;;http://evil.example\u0007x',
  'a\u0000b\u0007c\u007fd',
  'a\u202eb\u2066c\u200fd',
  'a\u200bb\u2060c\ufeffd, half a character: a\ud800b',
  '<script>alert(1)</script><img src=x onerror=alert(1)>" onclick="x" \'',
  '<at>everyone</at>',
  '{{7*7}} %s',
];

/** Texts of a device: markup, and anything else, sometimes far too long. */
const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.array(fc.constantFrom(...HOSTILE, 'a', ' '), { maxLength: 6 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('*'.repeat(8_000), '&'.repeat(8_000), '\u{1f480}'.repeat(4_000), '<@1>'.repeat(2_000)),
);

/** An alert each of whose texts is made by `text`. */
function anAlert(event: AlertEvent, text: () => string): Alert {
  const model = { code: 'lamp', name: text() };
  const place = () => ({ function: text(), file: text(), line: 88 });
  const digestItem = () => ({
    ...{ event: 'NEW' as const, title: text(), groupId: GROUP_ID, alerts: 3, count: 9, deviceCount: 2 },
    ...{ versions: [text(), text()], at: '2026-02-11T14:30:00.000Z' },
  });
  return {
    ...bareAlert(event, new Date('2026-02-11T14:30:00.000Z')),
    group: {
      ...{ id: GROUP_ID, title: text(), reason: text(), count: 3, deviceCount: 2, crashesInHour: 3 },
      ...{ firmwareVersion: text(), kind: 'OTHER', state: 'OPEN' },
    },
    crash: {
      ...{ coredumpId: 'Q29yZWR1bXA6MQ==', at: '2026-02-11T14:30:00.000Z', model, version: text() },
      ...{ device: { key: 'dev1', serial: 'SN-1', name: text() }, chip: text(), task: text(), cause: text() },
      source: 'CORE_DUMP',
      frames: [
        { ...place(), sourceUrl: 'https://github.com/acme/fw/blob/1a2b/main.c#L88' },
        ...Array.from({ length: 4 }, () => ({ ...place(), sourceUrl: null })),
      ],
    },
    loopCrashes: event === 'CRASH_LOOP' ? 7 : null,
    waiting:
      event !== 'WAITING_BUILD'
        ? null
        : Array.from({ length: 10 }, () => ({
            ...{ model, firmwareVersion: text(), elfSha256: text(), coredumpCount: 4, deviceCount: 2 },
          })),
    storage: { percent: 91, usedBytes: 9.1e10, limitBytes: 1e11, of: 'DISK' },
    digest:
      event !== 'DIGEST'
        ? null
        : {
            ...{ from: '2026-02-11T13:30:00.000Z', to: '2026-02-11T14:30:00.000Z', alerts: 90, more: 3 },
            items: Array.from({ length: MAX_DIGEST_ITEMS }, digestItem),
          },
  };
}

const alerts = fc
  .tuple(fc.constantFrom(...ALERT_EVENTS), fc.array(hostile, { minLength: 1, maxLength: 8 }))
  .map(([event, texts]) => {
    let used = 0;
    return anAlert(event, () => texts[used++ % texts.length] ?? '');
  });

const linksIn = (alert: Alert) => linksOf(alert, PAGE, 'QWxlcnRSdWxlOjE=');
const messageIn = (alert: Alert) => messageOf(alert, linksIn(alert), PAGE);
const RULE = { id: 1, name: 'team', secret: 'a secret' };
const letterOf = (alert: Alert, name = 'team') =>
  mailOf(alert, messageIn(alert), { deliveryId: 7, rule: { ...RULE, name }, domain: 'example.org' });

/** Each with all of its texts hostile. */
function everywhere(check: (alert: Alert) => void): void {
  fc.assert(fc.property(alerts, check), { numRuns: 60 });
  for (const event of ['NEW', 'WAITING_BUILD', 'DIGEST'] as const)
    for (const text of HOSTILE) check(anAlert(event, () => text));
}

describe('hostile texts of a device', () => {
  it('are inert in Slack, and stay within its limits', () => {
    everywhere((alert) => {
      const body = JSON.parse(slackBody(messageIn(alert)));

      expect(body).toMatchObject({ mrkdwn: false, unfurl_links: false, unfurl_media: false });
      expect(body.text.length).toBeLessThanOrEqual(4_000);
      expectInertForSlack(body.text.replace(/ https:\/\/example\.org\/\S+$/, ''));
      expect(body.blocks.length).toBeLessThanOrEqual(50);
      expect(JSON.stringify(body.blocks).length).toBeLessThan(13_000);
      for (const text of textsIn(body.blocks)) {
        expect(text.length).toBeLessThanOrEqual(3_000);
        // What is between the brackets is ours: links that begin with our address or the repository's, and the date.
        const own =
          /<(?:https:\/\/(?:example\.org\/coredock|github\.com\/acme)\/[^|<>]*\|([^<>]*)|!date\^\d+\^[^<>]*)>/g;
        expectInertForSlack(text.replace(own, '$1').replace(/^\*[\w ]+\*\n/, ''));
      }
      const [header] = body.blocks;
      expect(header.text.text.length).toBeLessThanOrEqual(150);
      for (const { fields = [] } of body.blocks) {
        expect(fields.length).toBeLessThanOrEqual(10);
        for (const { text } of fields) expect(text.length).toBeLessThanOrEqual(2_000);
      }
    });
  });

  it('are inert in Discord, and stay within its limits', () => {
    everywhere((alert) => {
      const body = JSON.parse(discordBody(messageIn(alert)));
      const [embed] = body.embeds;

      expect(body.allowed_mentions).toEqual({ parse: [] });
      expect(body.content.length).toBeLessThanOrEqual(2_000);
      expectInertForDiscord(body.content.replace(/ <https:\/\/example\.org\/[^<> ]+>$/, ''));
      expect(embed.title.length).toBeLessThanOrEqual(256);
      expectInertForDiscord(embed.title);
      expect((embed.description ?? 'x').length).toBeGreaterThan(0);
      for (const line of (embed.description ?? '').split('\n')) {
        expectInertForDiscord(
          line.replace(/\]\(https:\/\/(?:example\.org|github\.com\/acme)\/[^() ]+\)/g, ''),
          true,
        );
      }
      const fields: Array<{ name: string; value: string }> = embed.fields ?? [];
      expect(fields.length).toBeLessThanOrEqual(25);
      for (const { name, value } of fields) {
        expect([name.length > 0, value.length > 0, value.length <= 1_024]).toEqual([true, true, true]);
        expectInertForDiscord(value);
      }
      const all = [
        embed.title,
        embed.description ?? '',
        ...fields.flatMap(({ name, value }) => [name, value]),
      ];
      expect(all.join('').length).toBeLessThanOrEqual(6_000);
    });
  });

  it('are text without markup in a card of Teams, which is small enough', () => {
    everywhere((alert) => {
      const body = teamsBody(messageIn(alert));
      const [{ content }] = JSON.parse(body).attachments;

      expect(Buffer.byteLength(body)).toBeLessThan(28_000);
      // Of all elements, only runs of rich text know no markup; mentions need entities.
      expect(new Set(content.body.map(({ type }: { type: string }) => type))).toEqual(
        new Set(['RichTextBlock']),
      );
      expect(content.msteams.entities).toBeUndefined();
      for (const { inlines } of content.body)
        for (const { type, text } of inlines) {
          expect(type).toBe('TextRun');
          expectOneLine(text);
        }
      for (const url of urlsIn(content))
        expect(url).toMatch(/^https:\/\/(example\.org\/coredock|github\.com\/acme)/);
    });
  });

  it('are inert on the phone by ntfy, and stay a message', () => {
    everywhere((alert) => {
      const body = JSON.parse(ntfyBody(messageIn(alert), 'my-topic'));

      expect(body.topic).toBe('my-topic');
      expect(body.markdown).toBeUndefined();
      expect(Buffer.byteLength(body.message)).toBeLessThanOrEqual(4_096);
      expect(body.message).not.toBe('');
      for (const line of [body.title, ...body.message.split('\n')]) {
        expectOneLine(line);
        expectNoBareLink(line);
      }
      expect(body.actions.length).toBeLessThanOrEqual(3);
      for (const url of urlsIn(body)) expect(url).toMatch(/^https:\/\/example\.org\/coredock/);
    });
  });

  it('are inert in a mail, and add no header', () => {
    everywhere((alert) => {
      const name = alert.crash?.task ?? '';
      const mail = letterOf(alert, name.replace(/\p{Cc}/gu, ''));

      expect(mail.subject.length).toBeLessThanOrEqual(180);
      expectOneLine(mail.subject);
      for (const header of [mail.messageId, ...mail.references, mail.listId.id])
        expect(header).toMatch(/^<?[\w.-]+(@example\.org>)?$/);
      const ownUrls = /https:\/\/(?:example\.org\/coredock|github\.com\/acme)\/[^\s"<>]*/g;
      for (const line of mail.text.replace(ownUrls, '').split('\n')) expectNoBareLink(line);
      const tags = [...mail.html.matchAll(/<\/?([a-z0-9!]+)([^>]*)>/gi)];
      const ours = 'html head meta body h2 p table tr td ol ul li a br span !doctype'.split(' ');
      for (const [, tag = '', attributes = ''] of tags) {
        expect(ours).toContain(tag.toLowerCase());
        expect(attributes.replace(ownUrls, '')).not.toMatch(/script|onerror|onclick|evil/);
      }
      expect(mail.html.replace(/<[^>]*>/g, '')).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot|#39|middot);)/);
    });
  });

  it('are data in the generic format', () => {
    everywhere((alert) => {
      const body = genericBody(alert, linksIn(alert));
      const read = JSON.parse(body);

      expect(read.group).toEqual(JSON.parse(JSON.stringify(alert.group)));
      expect([...body].every((character) => character >= ' ')).toBe(true);
    });
  });
});

describe('what is harmless', () => {
  const told = anAlert('NEW', () => 'LoadProhibited in Sensor<int>::read_all(unsigned) (sensor.cpp:12)');

  it.each([
    ['Slack', slackBody, 'LoadProhibited in Sensor&lt;int&gt;::read_all(unsigned) (sensor.cpp:12)'],
    ['Teams', teamsBody, 'LoadProhibited in Sensor<int>::read_all(unsigned) (sensor.cpp:12)'],
    [
      'ntfy',
      (message: Parameters<typeof slackBody>[0]) => ntfyBody(message, 'x'),
      'Sensor<int>::read_all(unsigned) (sensor.cpp:12)',
    ],
  ])('stays as it was in %s', (_, body, text) => {
    expect(body(messageIn(told))).toContain(text);
  });
});

describe('each format', () => {
  const told = {
    ...anAlert('REGRESSION', () => 'plain'),
    group: { ...anAlert('NEW', () => 'abort in boot (main.c)').group, id: GROUP_ID } as Alert['group'],
  };
  const bodies = {
    SLACK: slackBody(messageIn(told)),
    DISCORD: discordBody(messageIn(told)),
    TEAMS: teamsBody(messageIn(told)),
    NTFY: ntfyBody(messageIn(told), 'x'),
    MAIL: letterOf(told).text,
    GENERIC: genericBody(told, linksIn(told)),
  };

  it.each(Object.entries(bodies))(
    'says model, device, version, chip, counts, cause, frames, links: %s',
    (_, body) => {
      const text = body.replaceAll('\\', '').replaceAll(INVISIBLE, '');

      expect(text).toContain('lamp');
      expect(text).toContain('SN-1');
      for (const part of ['plain', '88']) expect(text).toContain(part);
      expect(text).toMatch(/"count":3|3 on 2 devices/);
      expect(text).toContain(`${PAGE}/groups/${GROUP_ID}`);
      expect(text).toContain(`${PAGE}/dumps/${encodeURIComponent('Q29yZWR1bXA6MQ==')}`);
    },
  );

  it('has no link where the address of the page is not known', () => {
    const links = linksOf(told, null, 'x');
    const message = messageOf(told, links, null);

    for (const body of [
      slackBody(message),
      discordBody(message),
      ntfyBody(message, 'x'),
      genericBody(told, links),
    ])
      expect(body).not.toContain('/groups/');
  });

  it('leads from a test to the rule, not to a group that does not exist', () => {
    const test = exampleAlert(new Date('2026-02-11T14:30:00.000Z'));

    expect(JSON.parse(genericBody(test, linksIn(test))).url).toBe(`${PAGE}/alerts/QWxlcnRSdWxlOjE%3D`);
    expect(slackBody(messageIn(test))).not.toContain('/groups/');
  });
});

describe('mails', () => {
  it('about one group are one thread, and each has an id that is the same in every attempt', () => {
    const [one, other] = [letterOf(anAlert('NEW', () => 'a')), letterOf(anAlert('SPIKE', () => 'b'))];

    expect(one.references).toEqual(other.references);
    expect(one.messageId).toBe(other.messageId);
    expect(letterOf(anAlert('DIGEST', () => 'a')).references).toEqual([]);
  });
});

describe('the address of ntfy', () => {
  it.each([
    ['https://ntfy.sh/my-topic', { server: 'https://ntfy.sh/', topic: 'my-topic' }],
    ['https://example.org/ntfy/my_topic/', { server: 'https://example.org/ntfy/', topic: 'my_topic' }],
    ['https://ntfy.sh/', null],
    ['https://ntfy.sh/a b', null],
    ['https://ntfy.sh/topic?auth=x', null],
    ['nonsense', null],
  ])('%s', (url, target) => {
    expect(ntfyTarget(url)).toEqual(target);
  });
});

function textsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key === 'text' && typeof each === 'string' ? [each] : textsIn(each),
  );
}

function urlsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(urlsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    typeof each === 'string' && (key === 'url' || key === 'click') ? [each] : urlsIn(each),
  );
}

function expectInertForSlack(text: string): void {
  expectOneLine(text.replaceAll('\n', ' '));
  expect(text).not.toMatch(/[<>]|&(?!(amp|lt|gt);)|@\w|:\/\/|\]\(|\]\[|\bwww\.\w/);
  expect(text).not.toMatch(/[*~`](?!\u200b)/);
}

/** @param isLabel a part of a link of ours, whose address was taken away */
function expectInertForDiscord(text: string, isLabel = false): void {
  expectOneLine(text);
  const rest = text.replace(/\\./g, '').replace(isLabel ? /\[/g : /(?!)/g, '');
  // Whatever is left without a backslash, which makes the next character itself, is our own sentence or harmless.
  expect(rest).not.toMatch(/[*_~`|<>[\]()@#\\]|:\/\//);
}

function expectNoBareLink(line: string): void {
  // No domain ends in a single letter, as `main.c` and what a cut has left of a name do.
  expect(line).not.toMatch(/:\/\/|@\w|www\.\w|evil\.example|злой\.\p{L}{2}/u);
}

function expectOneLine(text: string): void {
  expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
  // The only invisible character is the one that we put in.
  expect(text.replaceAll(INVISIBLE, '')).not.toMatch(/\p{Cf}/u);
}
