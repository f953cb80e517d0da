import type { ALERT_EVENTS, ALERT_FORMATS } from '../../alerts/payload.js';
import type { DIGESTS } from '../../alerts/release.js';
import type { DELIVERY_STATUSES } from '../../alerts/types.js';
import { builder } from './builder.js';

export const AlertFormat = builder.enumType('AlertFormat', {
  description:
    'What a rule sends, and how. Values may be added; one that this server does not know reads GENERIC.',
  values: {
    GENERIC: { description: 'JSON for your own program, described in docs/alerts.md.' },
    SLACK: { description: 'A message for a webhook of Slack; Mattermost and Rocket.Chat take it too.' },
    DISCORD: { description: 'A message for a webhook of Discord.' },
    TEAMS: { description: 'An adaptive card for a webhook of Microsoft Teams, made by its Workflows.' },
    NTFY: { description: 'A notification of ntfy: the URL is the server and the topic.' },
    MAIL: { description: 'A mail to `recipients`; needs the settings SMTP_URL and SMTP_FROM.' },
  } satisfies Record<(typeof ALERT_FORMATS)[number], { description: string }>,
});

export const AlertEvent = builder.enumType('AlertEvent', {
  description: 'Why an alert was sent. Values may be added; one that this server does not know reads TEST.',
  values: {
    NEW: { description: 'The first crash of a group.' },
    REGRESSION: { description: 'A crash of a group that was resolved.' },
    REOPENED: {
      description: 'A crash of a group that was ignored until this many crashes, this date or this version.',
    },
    SPIKE: { description: 'The crashes of a group within one clock hour reached the rule’s `spikeCount`.' },
    NEW_IN_VERSION: { description: 'The first crash of a version of a model, whatever its group.' },
    CRASH_LOOP: { description: 'The crashes of one device within an hour reached the rule’s `loopCrashes`.' },
    WAITING_BUILD: { description: 'Dumps wait for a build that nobody has uploaded.' },
    STORAGE: { description: 'The storage is as full as the rule’s `storagePercent` says.' },
    DIGEST: { description: 'Several alerts in one message: of a digest, or of quiet hours.' },
    TEST: { description: 'A person asked for a test.' },
  } satisfies Record<(typeof ALERT_EVENTS)[number], { description: string }>,
});

export const AlertDeliveryStatus = builder.enumType('AlertDeliveryStatus', {
  description:
    'The state of a delivery. Values may be added; one that this server does not know reads PENDING.',
  values: {
    HELD: { description: 'It waits for the next digest, or for the end of quiet hours: see `heldUntil`.' },
    PENDING: { description: 'To be sent, or sent again after a failed attempt: for about ten hours.' },
    DELIVERED: {
      description: 'The target answered with a status from 200 to 299; the mail server took the mail. Final.',
    },
    FAILED: { description: 'The last attempt failed, or the rule was switched off. Final.' },
    DIGESTED: { description: 'It was sent as a part of a later delivery with the event DIGEST. Final.' },
  } satisfies Record<(typeof DELIVERY_STATUSES)[number], { description: string }>,
});

export const AlertDigest = builder.enumType('AlertDigest', {
  description:
    'Whether alerts are collected into one message. Values may be added; one that this server does not know reads NONE.',
  values: {
    NONE: { description: 'Each alert is sent at once.' },
    HOURLY: {
      description: 'One message at each full hour for the alerts of the hour before; none for no alert.',
    },
    DAILY: { description: 'One message a day, at `digestAt`; none for no alert.' },
  } satisfies Record<(typeof DIGESTS)[number], { description: string }>,
});
