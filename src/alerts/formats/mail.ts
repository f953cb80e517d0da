import { createHash } from 'node:crypto';
import type { Mail } from '../../platform/mail/mailer.js';
import type { Message, MessageFrame } from '../message.js';
import type { Alert } from '../payload.js';
import { cut, withoutLinks } from '../plain-text.js';

/** Some clients cut longer subjects in the middle of a word. */
const MAX_SUBJECT = 180;

interface MailOfRule {
  deliveryId: number;
  rule: { id: number; name: string; secret: string };
  /** The domain of the sender's address: message ids end with it. */
  domain: string;
}

/**
 * An alert as a mail, text and HTML. Mails about one group are one thread: each refers to an id that is made of the
 * group. The id of a mail is the same in every attempt, so that a client can detect duplicates.
 */
export function mailOf(alert: Alert, message: Message, { deliveryId, rule, domain }: MailOfRule): Mail {
  // Other installations may send from the same domain.
  const tag = createHash('sha256').update(rule.secret).digest('hex').slice(0, 12);
  const thread = threadOf(alert);
  const root = thread === null ? null : `<${thread}.${tag}@${domain}>`;
  return {
    subject: cut(`[Coredock] ${message.title}`, MAX_SUBJECT),
    text: textOf(message, rule.name),
    html: htmlOf(message, rule.name),
    messageId: `<delivery-${deliveryId}.${tag}@${domain}>`,
    references: root === null ? [] : [root],
    listId: { comment: 'Coredock alerts', id: `alerts-${rule.id}.coredock.${domain}` },
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  };
}

/** What the mails of a thread have in common; null for a mail on its own. */
function threadOf({ event, group }: Alert): string | null {
  if (event === 'TEST' || event === 'DIGEST') return null;
  if (group !== null) return `group-${Buffer.from(group.id).toString('hex')}`;
  return event.toLowerCase().replaceAll('_', '-');
}

function textOf(message: Message, ruleName: string): string {
  const { title, cause, facts, frames, items, rest, links } = message;
  const blocks = [
    [title],
    ...(cause === null ? [] : [[cause]]),
    facts.map(({ name, value }) => `${name}: ${value}`),
    frames.map((frame, index) => `${index + 1}. ${frameText(frame)}`),
    [...items.map(({ text, detail }) => (detail === '' ? `* ${text}` : `* ${text} - ${detail}`)), rest ?? ''],
  ].map((lines) => lines.map(withoutLinks));
  blocks.push(
    links.map(({ label, url }) => `${label}: ${url}`),
    [`Sent by Coredock for the alert "${withoutLinks(ruleName)}".`],
  );
  const texts = blocks.map((lines) => lines.filter((line) => line !== '').join('\n'));
  return `${texts.filter((text) => text !== '').join('\n\n')}\n`;
}

function htmlOf(message: Message, ruleName: string): string {
  const { title, cause, facts, frames, items, rest, links } = message;
  const rows = facts.map(
    ({ name, value }) =>
      `<tr><td style="padding:2px 16px 2px 0;color:#5b6b7f">${inert(name)}</td><td>${inert(value)}</td></tr>`,
  );
  const parts = [
    `<h2 style="font-size:18px;margin:0 0 8px">${inert(title)}</h2>`,
    cause === null ? '' : `<p style="margin:0 0 12px">${inert(cause)}</p>`,
    rows.length === 0
      ? ''
      : `<table style="border-collapse:collapse;margin:0 0 12px">${rows.join('')}</table>`,
    frames.length === 0
      ? ''
      : `<ol style="font-family:monospace;margin:0 0 12px">${frames.map(frameHtml).join('')}</ol>`,
    items.length === 0 ? '' : `<ul style="margin:0 0 12px">${items.map(itemHtml).join('')}</ul>`,
    rest === null ? '' : `<p>${inert(rest)}</p>`,
    links.length === 0
      ? ''
      : `<p>${links.map(({ label, url }) => `<a href="${attribute(url)}">${inert(label)}</a>`).join(' &middot; ')}</p>`,
    `<p style="color:#5b6b7f;font-size:12px">Sent by Coredock for the alert &quot;${inert(ruleName)}&quot;.</p>`,
  ];
  return `<!doctype html><html><head><meta charset="utf-8"></head><body style="font-family:sans-serif;font-size:14px">${parts.join('')}</body></html>`;
}

function frameText({ name, place }: MessageFrame): string {
  return place === '' ? name : `${name} at ${place}`;
}

function frameHtml(frame: MessageFrame): string {
  const text = inert(frameText(frame));
  return `<li>${frame.url === null ? text : `<a href="${attribute(frame.url)}">${text}</a>`}</li>`;
}

function itemHtml({ text, detail, url }: Message['items'][number]): string {
  const title = url === null ? inert(text) : `<a href="${attribute(url)}">${inert(text)}</a>`;
  return `<li>${title}${detail === '' ? '' : `<br><span style="color:#5b6b7f">${inert(detail)}</span>`}</li>`;
}

/** Clients make links of bare addresses in HTML too. */
function inert(text: string): string {
  return attribute(withoutLinks(text));
}

function attribute(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}
