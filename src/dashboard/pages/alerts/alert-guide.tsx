import { CodeBlock } from '../../parts/code-block';
import { EmptyState } from '../../parts/notices';

const EXAMPLE = `POST /your/receiver
Coredock-Delivery: 42
Coredock-Signature: t=1767225600,v1=…

{"event":"NEW","at":"2026-01-01T00:00:00.000Z","group":{"id":"…",
 "title":"LoadProhibited in sensor_read (sensor.c)","reason":"…",
 "count":1,"deviceCount":1,"firmwareVersion":"1.2.3","crashesInHour":null}}`;

/** What an alert is for, and where its address comes from. */
export function AlertGuide() {
  return (
    <EmptyState title="No alert yet">
      <p>
        An alert informs a chat, or a program of yours, when the fleet crashes at a new place, when a resolved
        crash comes back, or when a crash suddenly becomes frequent. So nobody has to keep looking at this
        page.
      </p>
      <p>
        Slack and Discord call what you need a webhook: make one for a channel, and give its address to a new
        alert. A program of your own is sent JSON, signed with the alert’s secret:
      </p>
      <CodeBlock label="What is sent" text={EXAMPLE} />
    </EmptyState>
  );
}
