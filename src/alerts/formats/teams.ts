import type { Message } from '../message.js';
import { cut } from '../plain-text.js';

/** Bytes of a message that the Workflows of Teams accept: about 28 KB; some are left for what they add. */
const MAX_BYTES = 26_000;
const MAX_TEXT = 600;

/**
 * An adaptive card for a webhook of Teams (Workflows). All texts of a crash are runs of a RichTextBlock, which know no
 * markup and, without entities beside them, no mentions.
 *
 * https://learn.microsoft.com/power-automate/create-adaptive-cards
 */
export function teamsBody(message: Message): string {
  let { items } = message;
  let body = cardOf(message);
  while (Buffer.byteLength(body) > MAX_BYTES && items.length > 0) {
    items = items.slice(0, -1);
    body = cardOf({ ...message, items, rest: message.rest ?? 'and more' });
  }
  return body;
}

function cardOf({ title, cause, facts, frames, items, rest, links, urgency, at }: Message): string {
  const body: object[] = [
    block([run(title, { weight: 'Bolder', size: 'Medium', color: COLOURS[urgency] })]),
    ...(cause === null ? [] : [block([run(cause)])]),
    ...facts.map(({ name, value }, index) =>
      block([run(`${name}: `, { weight: 'Bolder' }), run(value)], index === 0 ? 'Medium' : 'None'),
    ),
    ...frames.map(({ name, place, url }, index) => {
      const text = [name, place].filter((part) => part !== '').join('  ');
      return block(
        [run(`${index + 1}. `), run(text, { fontType: 'Monospace', ...opens(url) })],
        index === 0 ? 'Medium' : 'None',
      );
    }),
    ...items.map(({ text, detail, url }) =>
      block([run(`• `), run(text, opens(url)), ...(detail === '' ? [] : [run(` – ${detail}`)])], 'Small'),
    ),
    ...(rest === null ? [] : [block([run(rest)])]),
    block([run(at, { isSubtle: true, size: 'Small' })], 'Medium'),
  ];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body,
    actions: links.map(({ label, url }) => ({ type: 'Action.OpenUrl', title: label, url })),
    msteams: { width: 'Full' },
  };
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content };
  return JSON.stringify({ type: 'message', attachments: [attachment] });
}

const COLOURS = { info: 'Default', normal: 'Warning', high: 'Attention' };

function block(inlines: object[], spacing = 'Default'): object {
  return { type: 'RichTextBlock', spacing, inlines };
}

function run(text: string, style: object = {}): object {
  return { type: 'TextRun', text: cut(text, MAX_TEXT), ...style };
}

function opens(url: string | null): object {
  return url === null ? {} : { selectAction: { type: 'Action.OpenUrl', url } };
}
