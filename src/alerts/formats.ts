import { createHmac } from 'node:crypto';
import * as z from 'zod';

export const ALERT_FORMATS = ['GENERIC', 'SLACK', 'DISCORD'] as const;
export type AlertFormat = (typeof ALERT_FORMATS)[number];

export const ALERT_EVENTS = ['NEW', 'REGRESSION', 'SPIKE', 'TEST'] as const;
export type AlertEvent = (typeof ALERT_EVENTS)[number];

/** The payload of an alert; the generic format sends exactly this. */
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
      /** For a spike: the crashes in its hour. */
      crashesInHour: z.int().nullable(),
    })
    .nullable(),
});
export type Alert = z.infer<typeof alert>;

/**
 * The body of the request, in the format that the target understands. Texts of an alert come from devices, and an
 * attacker with a device can name a task `[x](https://…)`. So each format escapes the markup of its target. The generic
 * format is JSON, whose strings are data; the receiver escapes them for display.
 *
 * @param pageUrl the beginning of the link to the crash group; null: no link
 */
export function bodyOf(payload: Alert, format: AlertFormat, pageUrl: string | null = null): string {
  const url = linkOf(payload, pageUrl);
  switch (format) {
    case 'GENERIC':
      return JSON.stringify(url === null ? payload : { ...payload, url });
    case 'SLACK':
      // Mattermost and Rocket.Chat accept this format too, and interpret more markup than Slack.
      return JSON.stringify({
        text: withLink(sentence(payload, inertForSlack), url),
        mrkdwn: false,
        unfurl_links: false,
        unfurl_media: false,
      });
    case 'DISCORD':
      return JSON.stringify({
        content: withLink(sentence(payload, inertForDiscord), url),
        allowed_mentions: { parse: [] },
        flags: SUPPRESS_EMBEDS,
      });
  }
}

/** Made of our own parts only: a setting, and an id whose characters are no markup. */
function linkOf({ group }: Alert, pageUrl: string | null): string | null {
  return group === null || pageUrl === null ? null : `${pageUrl}/groups/${encodeURIComponent(group.id)}`;
}

function withLink(text: string, url: string | null): string {
  return url === null ? text : `${text} ${url}`;
}

/**
 * `t=SECONDS,v1=HEX`: HMAC-SHA-256 with the rule's secret over `SECONDS.BODY`. A receiver refuses requests that are
 * some minutes old, which prevents replays.
 */
export function signature(secret: string, body: string, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

/** Flag of a Discord message: no previews of links. */
const SUPPRESS_EMBEDS = 1 << 2;

/** With all fields of this length and every character escaped, a message stays below Discord's limit of 2,000. */
const MAX_FIELD_LENGTH = 300;

/** @param inert escapes a field's text for the target */
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

/** One line of limited length, without control sequences, changes of the writing direction and invisible characters. */
function oneLine(text: string): string {
  const plain = text
    .replace(/\p{Cs}/gu, '\ufffd')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are removed, colours of a terminal first
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

/** Slack can escape only these three; other links and mentions are broken up by an invisible character. */
function inertForSlack(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@(?=\w)/g, `@${INVISIBLE}`)
    .replace(/:(?=\/\/)|\](?=\()|\](?=\[)|[.](?=\w)(?<=\bwww\.)/gi, (mark) => `${mark}${INVISIBLE}`);
}

/** A zero-width space. */
const INVISIBLE = '\u200b';

/** Discord accepts a backslash before any punctuation. */
function inertForDiscord(text: string): string {
  return text.replace(/[\\*_~`|<>[\]()@:#&!-]/g, '\\$&');
}
