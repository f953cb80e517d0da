import { CodeBlock } from '../../parts/code-block';
import { EmptyState } from '../../parts/notices';

const EXAMPLE = `POST /your/receiver
Coredock-Delivery: 42
Coredock-Signature: t=1767225600,v1=…

{"event":"NEW","at":"2026-01-01T00:00:00.000Z","group":{"id":"…",
 "title":"LoadProhibited in sensor_read (sensor.c)","reason":"…",
 "count":1,"deviceCount":1,"firmwareVersion":"1.2.3","crashesInHour":null,…},
 "crash":{"model":{"code":"lamp",…},"device":{"key":"a1b2c3d4",…},"frames":[…],…},
 "url":"https://coredock.example.org/groups/…",…}`;

/** Explains the purpose of an alert, and how to get its address. */
export function AlertGuide() {
  return (
    <EmptyState title="No alert yet">
      <p>
        An alert informs a chat, people or your own program when the fleet crashes at a new place, when a
        resolved crash comes back, when a crash suddenly becomes frequent, and more. So nobody has to keep
        looking at this page.
      </p>
      <p>
        For Slack, Discord or Teams, create a webhook for a channel, and enter its address in a new alert;
        ntfy and mail need no webhook. Your own program receives JSON, signed with the alert’s secret:
      </p>
      <CodeBlock label="Request body" text={EXAMPLE} />
    </EmptyState>
  );
}
