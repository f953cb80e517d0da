import { createHmac } from 'node:crypto';
import { z } from 'zod';

export const ALERT_FORMATS = ['GENERIC', 'SLACK', 'DISCORD'] as const;
export type AlertFormat = (typeof ALERT_FORMATS)[number];

export const ALERT_EVENTS = ['NEW', 'REGRESSION', 'SPIKE', 'TEST'] as const;
export type AlertEvent = (typeof ALERT_EVENTS)[number];

/** What an alert tells; the generic format sends exactly this. */
export const alert = z.object({
  event: z.enum(ALERT_EVENTS),
  at: z.string(),
  group: z
    .object({
      id: z.string(),
      title: z.string(),
      reason: z.string(),
      count: z.int(),
      deviceCount: z.int(),
      firmwareVersion: z.string(),
      /** Of a spike: crashes in its hour. */
      crashesInHour: z.int().nullable(),
    })
    .nullable(),
});
export type Alert = z.infer<typeof alert>;

/**
 * The body of the request, in the form that the target understands. What an alert tells comes from devices, and whoever
 * holds one may name a task `[x](https://…)`: each form makes inert what its target would take for markup. The generic
 * one is JSON, whose strings are data; who shows them escapes them.
 */
export function bodyOf(told: Alert, format: AlertFormat): string {
  switch (format) {
    case 'GENERIC':
      return JSON.stringify(told);
    case 'SLACK':
      // Targets that speak Slack's form (Mattermost, Rocket.Chat) make more of a text than Slack does.
      return JSON.stringify({
        text: sentence(told, inertForSlack),
        mrkdwn: false,
        unfurl_links: false,
        unfurl_media: false,
      });
    case 'DISCORD':
      return JSON.stringify({
        content: sentence(told, inertForDiscord),
        allowed_mentions: { parse: [] },
        flags: SUPPRESS_EMBEDS,
      });
  }
}

/**
 * `t=SECONDS,v1=HEX`: HMAC-SHA-256 with the rule's secret over `SECONDS.BODY`. A receiver refuses what is older than
 * some minutes, so that nobody can send again what was overheard.
 */
export function signature(secret: string, body: string, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

/** Of Discord's message flags: no preview of what a link leads to. */
const SUPPRESS_EMBEDS = 1 << 2;

/** Enough for a title; all fields with every character escaped stay below the 2,000 that Discord takes. */
const MAX_FIELD_LENGTH = 300;

/** @param inert makes a field's text harmless for the target */
function sentence({ event, group }: Alert, inert: (text: string) => string): string {
  if (group === null) return 'Coredock: this is a test of this alert.';
  const { count, deviceCount, crashesInHour } = group;
  const [title, firmwareVersion] = [inert(oneLine(group.title)), inert(oneLine(group.firmwareVersion))];
  const seen = `${count} crashes on ${deviceCount} devices, the last in ${firmwareVersion}`;
  switch (event) {
    case 'REGRESSION':
      return `Regression: ${title} came back in ${firmwareVersion}. ${seen}.`;
    case 'SPIKE':
      return `Spike: ${title} crashed ${crashesInHour ?? 0} times within an hour. ${seen}.`;
    default:
      return `New crash: ${title}, in ${firmwareVersion}.`;
  }
}

/** Without what moves a cursor, turns the writing direction or is not seen, on one line and not endless. */
function oneLine(text: string): string {
  const plain = text
    .replace(/\p{Cs}/gu, '\ufffd')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to go: colours of a terminal first
    .replace(/\u001b\[[\d;?]*[ -/]*[@-~]/g, '')
    .replace(/\p{Zl}|\p{Zp}|\p{Cc}/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .replace(/ {2,}/g, ' ')
    .trim();
  const characters = [...plain];
  return characters.length <= MAX_FIELD_LENGTH
    ? plain
    : `${characters.slice(0, MAX_FIELD_LENGTH - 1).join('')}…`;
}

/** Slack knows no way to escape more than these three, so what else could become a link or a mention is taken apart. */
function inertForSlack(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@(?=\w)/g, `@${INVISIBLE}`)
    .replace(/:(?=\/\/)|\](?=\()|\](?=\[)|[.](?=\w)(?<=\bwww\.)/gi, (mark) => `${mark}${INVISIBLE}`);
}

/** A zero-width space: between two characters that mean something together. */
const INVISIBLE = '\u200b';

/** Discord takes a backslash before any punctuation. */
function inertForDiscord(text: string): string {
  return text.replace(/[\\*_~`|<>[\]()@:#&!-]/g, '\\$&');
}
