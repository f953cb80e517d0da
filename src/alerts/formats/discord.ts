import type { Message, MessageFrame, MessageItem } from '../message.js';
import { escapedWithin } from '../plain-text.js';

/** https://docs.discord.com/developers/resources/message#embed-object-embed-limits */
const MAX_CONTENT = 2_000;
const MAX_TITLE = 256;
const MAX_DESCRIPTION = 3_000;
const MAX_VALUE = 300;
const MAX_FIELDS = 25;
/** Of all texts of an embed together. */
const MAX_EMBED = 6_000;

const COLOURS = { info: 0x5b6b7f, normal: 0xd08700, high: 0xc62828 };

/** A message for a webhook: a sentence, which phones show as notification, and an embed with the rest. */
export function discordBody(message: Message): string {
  return JSON.stringify({
    content: contentOf(message),
    embeds: [embedOf(message)],
    allowed_mentions: { parse: [] },
  });
}

/** Brackets around a link keep Discord from showing a preview of it. */
function contentOf({ sentence, url }: Message): string {
  const link = url === null ? '' : ` <${url}>`;
  return `${escaped(sentence, MAX_CONTENT - link.length)}${link}`;
}

function embedOf(message: Message): object {
  const { facts, url, urgency, at } = message;
  const title = escaped(message.title, MAX_TITLE);
  let length = title.length;
  const description = takeLines(descriptionOf(message), MAX_DESCRIPTION);
  length += description.length;
  const fields: object[] = [];
  for (const { name, value } of facts.slice(0, MAX_FIELDS)) {
    const text = escaped(value, MAX_VALUE);
    length += name.length + text.length;
    if (length <= MAX_EMBED) fields.push({ name, value: text, inline: true });
  }
  return {
    title,
    ...(url === null ? {} : { url }),
    ...(description === '' ? {} : { description }),
    color: COLOURS[urgency],
    ...(fields.length === 0 ? {} : { fields }),
    timestamp: at,
  };
}

function descriptionOf({ cause, frames, items, rest, links }: Message): string[] {
  return [
    // Links first: they are never the part that does not fit.
    ...(links.length === 0 ? [] : [links.map(({ label, url }) => linked(label, url)).join(' · ')]),
    ...(cause === null ? [] : [escaped(cause, 1_000)]),
    ...frames.map(frameLine),
    ...items.map(itemLine),
    ...(rest === null ? [] : [rest]),
  ];
}

function frameLine({ name, place, url }: MessageFrame, index: number): string {
  const text = escaped([name, place].filter((part) => part !== '').join('  '), 400);
  // A list would be numbered anew by Discord.
  return `${index + 1}\\. ${url === null ? text : linked(text, url)}`;
}

function itemLine({ text, detail, url }: MessageItem): string {
  const title = escaped(text, 400);
  const line = url === null ? title : linked(title, url);
  return `• ${line}${detail === '' ? '' : ` – ${escaped(detail, 300)}`}`;
}

/** The first lines that fit; a link is never cut in the middle. */
function takeLines(lines: readonly string[], maxLength: number): string {
  let text = '';
  for (const line of lines) {
    const next = text === '' ? line : `${text}\n${line}`;
    if (next.length > maxLength) break;
    text = next;
  }
  return text;
}

/** @param text escaped already */
function linked(text: string, url: string): string {
  return `[${text}](${url.replace(/[()<>\\]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`)})`;
}

const escaped = (text: string, maxLength: number) => escapedWithin(text, inertForDiscord, maxLength);

/** Discord accepts a backslash before any punctuation. */
function inertForDiscord(text: string): string {
  return text.replace(/[\\*_~`|<>[\]()@:#&!-]/g, '\\$&');
}
