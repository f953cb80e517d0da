import type { ReactNode } from 'react';
import type { AlertFormat } from '../../generated/graphql';

/** How to get the address of a target. */
export function TargetHint({ format }: { format: AlertFormat }) {
  return <p className="hint">{HINTS[format]}</p>;
}

export const PLACEHOLDERS: Record<Exclude<AlertFormat, 'MAIL'>, string> = {
  SLACK: 'https://hooks.slack.com/services/…',
  DISCORD: 'https://discord.com/api/webhooks/…',
  TEAMS: 'https://….powerplatform.com/…',
  NTFY: 'https://ntfy.sh/my-topic',
  GENERIC: 'https://example.org/coredock',
};

const HINTS: Record<AlertFormat, ReactNode> = {
  SLACK:
    'In Slack: your app’s page, “Incoming Webhooks”, “Add New Webhook”. Mattermost and Rocket.Chat take this form too.',
  DISCORD:
    'In Discord: the channel’s settings, “Integrations”, “Webhooks”, “New Webhook”, “Copy Webhook URL”.',
  TEAMS:
    'In Teams: the channel’s menu, “Workflows”, “Send webhook alerts to a channel”. The address is shown at the end.',
  NTFY: 'The address of the server with a topic at its end. Who knows a topic of ntfy.sh can read it: make it long, or protect it.',
  MAIL: 'The server’s operator sets SMTP_URL and SMTP_FROM first.',
  GENERIC: 'Your own program gets all that Coredock knows, signed with the alert’s secret.',
};
