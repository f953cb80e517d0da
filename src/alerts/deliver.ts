import { messageOf as errorText, reasonOf } from '../errors.js';
import { encodeGlobalId } from '../global-ids.js';
import { postToPublic } from '../platform/http/outbound-http.js';
import type { Mailer } from '../platform/mail/mailer.js';
import { discordBody } from './formats/discord.js';
import { genericBody } from './formats/generic.js';
import { mailOf } from './formats/mail.js';
import { ntfyBody, ntfyTarget } from './formats/ntfy.js';
import { slackBody } from './formats/slack.js';
import { teamsBody } from './formats/teams.js';
import { linksOf } from './links.js';
import { messageOf } from './message.js';
import { ALERT_FORMATS, type Alert, type AlertFormat, alert } from './payload.js';
import { readRecipients } from './recipients.js';
import { signature } from './signature.js';
import type { AlertRuleRow } from './types.js';

const TIMEOUT_MS = 10_000;
const MAX_ERROR = 500;

/** How one attempt ended. */
export type Outcome =
  | { arrived: true; httpStatus: number | null; note: string | null }
  | { arrived: false; httpStatus: number | null; error: string; retryAfterMs: number | null };

export type Deliver = ReturnType<typeof createDeliver>;

/** Makes the attempts to deliver: HTTP requests and mails. */
export function createDeliver({ now, allowPrivate, pageUrl, mailer }: DeliverDeps) {
  return async (delivery: { id: number; payload: string }, rule: AlertRuleRow): Promise<Outcome> => {
    try {
      const payload = alert.parse(JSON.parse(delivery.payload));
      const format = ALERT_FORMATS.find((known) => known === rule.format) ?? 'GENERIC';
      return format === 'MAIL'
        ? await mail(delivery.id, payload, rule)
        : await post(delivery.id, payload, rule, format);
    } catch (error) {
      const text = (reasonOf(error) || errorText(error)).slice(0, MAX_ERROR);
      return { arrived: false, httpStatus: null, error: text, retryAfterMs: null };
    }
  };

  async function post(
    id: number,
    payload: Alert,
    rule: AlertRuleRow,
    format: Exclude<AlertFormat, 'MAIL'>,
  ): Promise<Outcome> {
    const { url, body } = requestOf(payload, rule, format);
    const { status, retryAfter } = await postToPublic(new URL(url), {
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'Coredock',
        // The same in every attempt, so that the receiver can detect duplicates.
        'Coredock-Delivery': String(id),
        'Coredock-Signature': signature(rule.secret, body, now()),
        ...(format === 'NTFY' && rule.accessToken !== null
          ? { Authorization: `Bearer ${rule.accessToken}` }
          : {}),
      },
      body,
      timeoutMs: TIMEOUT_MS,
      allowPrivate,
    });
    if (status >= 200 && status < 300) return { arrived: true, httpStatus: status, note: null };
    const retryAfterMs = status === 429 || status === 503 ? msOf(retryAfter, now()) : null;
    return { arrived: false, httpStatus: status, error: `the target answered ${status}`, retryAfterMs };
  }

  function requestOf(
    payload: Alert,
    rule: AlertRuleRow,
    format: Exclude<AlertFormat, 'MAIL'>,
  ): { url: string; body: string } {
    const links = linksOf(payload, pageUrl, encodeGlobalId('AlertRule', rule.id));
    const { url } = rule;
    if (format === 'GENERIC') return { url, body: genericBody(payload, links) };
    const message = messageOf(payload, links, pageUrl);
    switch (format) {
      case 'SLACK':
        return { url, body: slackBody(message) };
      case 'DISCORD':
        return { url, body: discordBody(message) };
      case 'TEAMS':
        return { url, body: teamsBody(message) };
      case 'NTFY': {
        const target = ntfyTarget(url);
        if (target === null) throw new Error('the address has no topic of ntfy at its end');
        return { url: target.server, body: ntfyBody(message, target.topic) };
      }
    }
  }

  async function mail(deliveryId: number, payload: Alert, rule: AlertRuleRow): Promise<Outcome> {
    if (mailer === null) throw new Error('this server sends no mails: set SMTP_URL and SMTP_FROM');
    const links = linksOf(payload, pageUrl, encodeGlobalId('AlertRule', rule.id));
    const domain = mailer.from.address.split('@').at(-1) ?? 'localhost';
    const letter = mailOf(payload, messageOf(payload, links, pageUrl), { deliveryId, rule, domain });
    const refused = await mailer.send(letter, readRecipients(rule.recipients));
    const note =
      refused.length === 0 ? null : `the mail server refused ${refused.join(', ')}`.slice(0, MAX_ERROR);
    return { arrived: true, httpStatus: null, note };
  }
}

/** Of Retry-After: seconds, or a date. Null for anything else. */
function msOf(retryAfter: string | null, now: Date): number | null {
  if (retryAfter === null) return null;
  const seconds = Number(retryAfter);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(retryAfter) - now.getTime();
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}

interface DeliverDeps {
  now: () => Date;
  /** Also sends to targets in private networks. */
  allowPrivate: boolean;
  /** The beginning of links; null: alerts have none. */
  pageUrl: string | null;
  /** Null without SMTP settings. */
  mailer: Mailer | null;
}
