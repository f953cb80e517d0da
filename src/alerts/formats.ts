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

/** The body of the request, in the form that the target understands. */
export function bodyOf(told: Alert, format: AlertFormat): string {
  switch (format) {
    case 'GENERIC':
      return JSON.stringify(told);
    case 'SLACK':
      // Slack's own escapes: what a title says must not become a mention or a link.
      return JSON.stringify({
        text: sentence(told).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;'),
      });
    case 'DISCORD':
      return JSON.stringify({ content: sentence(told).slice(0, 2_000), allowed_mentions: { parse: [] } });
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

function sentence({ event, group }: Alert): string {
  if (group === null) return 'Coredock: this is a test of this alert.';
  const { title, firmwareVersion, count, deviceCount, crashesInHour } = group;
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
