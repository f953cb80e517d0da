import type { Message } from '../message.js';
import { cut, withoutLinks } from '../plain-text.js';

/** A longer message becomes an attachment. In bytes. */
const MAX_MESSAGE_BYTES = 4_000;
const MAX_TITLE = 250;
const PRIORITIES = { info: 2, normal: 3, high: 4 };
const TAGS = { info: ['information_source'], normal: ['warning'], high: ['rotating_light'] };
/** Of the buttons under a notification. */
const MAX_ACTIONS = 3;

/** Server and topic of the address that a rule has: "https://ntfy.sh/my-topic". Null when it is no such address. */
export function ntfyTarget(url: string): { server: string; topic: string } | null {
  if (!URL.canParse(url)) return null;
  const { origin, pathname, search, hash } = new URL(url);
  const [topic = '', ...before] = pathname.replace(/\/$/, '').split('/').reverse();
  if (!/^[-_A-Za-z0-9]{1,64}$/.test(topic) || search !== '' || hash !== '') return null;
  return { server: `${origin}${before.reverse().join('/')}/`, topic };
}

/**
 * A message for the root of an ntfy server, as JSON. Its texts are shown as they are; bare addresses in them are broken
 * up, because phones make them links.
 *
 * https://docs.ntfy.sh/publish/#publish-as-json
 */
export function ntfyBody(message: Message, topic: string): string {
  return JSON.stringify({
    topic,
    title: cut(withoutLinks(message.title), MAX_TITLE),
    message: textOf(message),
    priority: PRIORITIES[message.urgency],
    tags: TAGS[message.urgency],
    ...(message.url === null ? {} : { click: message.url }),
    ...(message.links.length === 0
      ? {}
      : {
          actions: message.links
            .slice(0, MAX_ACTIONS)
            .map(({ label, url }) => ({ action: 'view', label, url })),
        }),
  });
}

function textOf({ cause, sentence, facts, frames, items, rest }: Message): string {
  const lines = [
    cause ?? sentence,
    ...facts.map(({ name, value }) => `${name}: ${value}`),
    ...frames.map(({ name, place }, index) => `${index + 1}. ${name}  ${place}`.trimEnd()),
    ...items.map(({ text, detail }) => (detail === '' ? `• ${text}` : `• ${text} – ${detail}`)),
    ...(rest === null ? [] : [rest]),
  ];
  let text = '';
  for (const line of lines) {
    const next = text === '' ? withoutLinks(line) : `${text}\n${withoutLinks(line)}`;
    if (Buffer.byteLength(next) > MAX_MESSAGE_BYTES) break;
    text = next;
  }
  return text;
}
