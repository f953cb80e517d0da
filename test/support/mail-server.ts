import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { onTestFinished } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import type { SmtpSettings } from '../../src/platform/mail/mailer.js';
import type { Certificate } from './proxies.js';

interface MailServerOptions {
  certificate: Certificate;
  /** False: it knows no STARTTLS. */
  offersTls?: boolean;
  /** It answers 535 to any password. */
  refusesPassword?: boolean;
  /** It answers 552 to any mail. */
  refusesMail?: boolean;
  /** It answers 550 to these. */
  refusedRecipients?: readonly string[];
}

export interface ReceivedMail {
  to: string[];
  isEncrypted: boolean;
  user: string | undefined;
  /** Headers and bodies as they came. */
  text: string;
}

/** A real mail server with TLS. */
export async function aMailServer({
  certificate,
  offersTls = true,
  refusesPassword = false,
  refusesMail = false,
  refusedRecipients = [],
}: MailServerOptions) {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    ...{ key: readFileSync(certificate.key), cert: certificate.text, disableReverseLookup: true },
    ...{
      authOptional: true,
      disabledCommands: offersTls ? [] : ['STARTTLS'],
      allowInsecureAuth: !offersTls,
      logger: false,
    },
    onAuth({ username, password }, _session, answer) {
      if (!refusesPassword) return answer(null, { user: username });
      const words = `5.7.8 no such user with ${password}`;
      answer(Object.assign(new Error(words), { responseCode: 535 }));
    },
    onRcptTo({ address }, _session, answer) {
      const isRefused = refusedRecipients.includes(address);
      answer(
        isRefused ? Object.assign(new Error('5.1.1 no such mailbox'), { responseCode: 550 }) : undefined,
      );
    },
    async onData(stream, session, answer) {
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      if (refusesMail)
        return answer(Object.assign(new Error('5.3.4 the mailbox is full'), { responseCode: 552 }));
      received.push({
        to: session.envelope.rcptTo.map(({ address }) => address),
        isEncrypted: session.secure,
        user: session.user,
        text,
      });
      answer(undefined);
    },
  });
  // Broken handshakes are what some tests are about.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as AddressInfo;
  return { port, received };
}

/** The settings of a mail server on another machine, which is in truth on this one. */
export function smtpAt(port: number, password = 'a%20secret'): SmtpSettings {
  const { smtp } = readConfig({
    SMTP_URL: `smtp://coredock:${password}@mail.example.org:${port}`,
    SMTP_FROM: 'Coredock <coredock@example.org>',
  });
  if (smtp === null) throw new Error('there are settings');
  return { ...smtp, host: '127.0.0.1' };
}
