import type { Message, MessageFrame, MessageItem } from '../message.js';
import { cut, escapedWithin, INVISIBLE } from '../plain-text.js';

/** https://docs.slack.dev/reference/block-kit/blocks: characters of a header, of a section, of a field; blocks. */
const MAX_HEADER = 150;
const MAX_SECTION = 3_000;
const MAX_FIELD = 2_000;
const MAX_FIELDS = 10;
const MAX_BLOCKS = 50;
/** In practice Slack refuses a message whose blocks have more than some 13,000 characters. */
const MAX_BLOCKS_TEXT = 10_000;
/** Slack cuts a longer one. */
const MAX_TEXT = 3_900;

/**
 * A message for a webhook. Slack shows the blocks, and the text as notification; Mattermost and Rocket.Chat accept this
 * format too, show the text, and interpret more markup than Slack.
 */
export function slackBody(message: Message): string {
  return JSON.stringify({
    text: textOf(message),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: blocksOf(message),
  });
}

function textOf({ sentence, cause, url }: Message): string {
  const link = url === null ? '' : ` ${url}`;
  const words = cause === null ? sentence : `${sentence} ${cause}`;
  return `${escapedWithin(words, inertForSlack, MAX_TEXT - link.length)}${link}`;
}

function blocksOf({ title, cause, facts, frames, items, rest, links, at }: Message): object[] {
  const blocks: object[] = [
    { type: 'header', text: { type: 'plain_text', emoji: false, text: heading(title) } },
    ...(cause === null ? [] : [section(escaped(cause, MAX_SECTION))]),
  ];
  for (let from = 0; from < facts.length; from += MAX_FIELDS) {
    const fields = facts
      .slice(from, from + MAX_FIELDS)
      .map(({ name, value }) => mrkdwn(`*${name}*\n${escaped(value, MAX_FIELD - name.length - 3)}`));
    blocks.push({ type: 'section', fields });
  }
  blocks.push(...lines(frames.map(frameLine)), ...lines(items.map(itemLine)));
  const end = [
    ...(rest === null ? [] : [rest]),
    ...links.map(({ label, url }) => linked(label, url)),
    dateOf(at),
  ];
  return [
    ...within(blocks.slice(0, MAX_BLOCKS - 1)),
    { type: 'context', elements: [mrkdwn(end.join('  ·  '))] },
  ];
}

/** As many lines in each section as it may have characters. */
function lines(all: readonly string[]): object[] {
  const texts: string[] = [];
  for (const line of all) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= MAX_SECTION)
      texts[texts.length - 1] = `${last}\n${line}`;
    else if (line.length <= MAX_SECTION) texts.push(line);
  }
  return texts.map(section);
}

function frameLine({ name, place, url }: MessageFrame, index: number): string {
  const text = escaped([name, place].filter((part) => part !== '').join('  '), 600);
  return `${index + 1}.  ${url === null ? text : linked(text, url)}`;
}

function itemLine({ text, detail, url }: MessageItem): string {
  const title = escaped(text, 600);
  const line = url === null ? title : linked(title, url);
  return `•  ${line}${detail === '' ? '' : `  –  ${escaped(detail, 600)}`}`;
}

/** The first blocks that are together as long as a message may be. */
function within(blocks: readonly object[]): object[] {
  let length = 0;
  return blocks.filter((block) => {
    length += JSON.stringify(block).length;
    return length <= MAX_BLOCKS_TEXT;
  });
}

/** @param text escaped already */
function linked(text: string, url: string): string {
  return `<${url.replace(/[|<>]/g, encodeURIComponent)}|${text}>`;
}

/** In the reader's zone; the rest is for clients that do not know the form. */
function dateOf(at: string): string {
  const seconds = Math.floor(Date.parse(at) / 1000);
  return `<!date^${seconds}^{date_short_pretty} {time}|${at}>`;
}

const section = (text: string) => ({ type: 'section', text: mrkdwn(text) });
/** `verbatim`: Slack makes neither links nor mentions of what looks like one. */
const mrkdwn = (text: string) => ({ type: 'mrkdwn', verbatim: true, text });
const escaped = (text: string, maxLength: number) => escapedWithin(text, inertForSlack, maxLength);
const heading = (title: string) => escapedWithin(cut(title, MAX_HEADER), inertForSlack, MAX_HEADER);

/**
 * Slack can escape only these three; other links, mentions and emphasis are broken up by an invisible character.
 * `snake_case` is left as it is: Slack takes "_" for emphasis only at the ends of words.
 */
function inertForSlack(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@(?=\w)/g, `@${INVISIBLE}`)
    .replace(/:(?=\/\/)|\](?=\()|\](?=\[)|[.](?=\w)(?<=\bwww\.)/gi, (mark) => `${mark}${INVISIBLE}`)
    .replace(/[*~`]|(?<![\p{L}\p{N}_])_|_(?![\p{L}\p{N}_])/gu, (mark) => `${INVISIBLE}${mark}${INVISIBLE}`);
}
