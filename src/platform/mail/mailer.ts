import { messageOf } from '../../errors.js';

/** A mail server, and the sender of mails, from the settings SMTP_URL and SMTP_FROM. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /**
   * TLS: from the first byte (smtps://). STARTTLS: nothing is sent before it. NONE: a server on this machine, by smtp://.
   */
  readonly encryption: 'TLS' | 'STARTTLS' | 'NONE';
  readonly credentials: { readonly user: string; readonly password: string } | null;
  readonly from: MailAddress;
}

export interface MailAddress {
  readonly name: string;
  readonly address: string;
}

/** Lines and addresses were checked before; line breaks in headers are folded by nodemailer all the same. */
export interface Mail {
  subject: string;
  text: string;
  html: string;
  /** "<…@…>", like those of `references`. */
  messageId: string;
  references: string[];
  /** "alerts.example.org" */
  listId: { comment: string; id: string };
  headers: Record<string, string>;
}

export interface Mailer {
  readonly from: MailAddress;
  /**
   * Sends one mail to all.
   * @returns the addresses that the server refused, with its words, if it accepted others
   * @throws Error with one sentence that holds no password
   */
  send(mail: Mail, to: readonly string[]): Promise<string[]>;
}

const CONNECT_MS = 10_000;
const SOCKET_MS = 20_000;
const MAX_ERROR = 300;

/** @param ca certificates to trust, for tests; operators use NODE_EXTRA_CA_CERTS */
export function createMailer(smtp: SmtpSettings, ca?: string): Mailer {
  const { host, port, encryption, credentials, from } = smtp;

  return {
    from,
    async send(mail, to) {
      // Only who sends mails loads it.
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        host,
        port,
        secure: encryption === 'TLS',
        requireTLS: encryption === 'STARTTLS',
        ignoreTLS: encryption === 'NONE',
        ...(credentials === null ? {} : { auth: { user: credentials.user, pass: credentials.password } }),
        ...(ca === undefined ? {} : { tls: { ca } }),
        connectionTimeout: CONNECT_MS,
        greetingTimeout: CONNECT_MS,
        socketTimeout: SOCKET_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        const { rejected, rejectedErrors } = await transport.sendMail({
          from: { ...from },
          // One by one: a text with all of them would be parsed, and could name others.
          to: to.map((address) => ({ name: '', address })),
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: mail.messageId,
          references: mail.references,
          ...(mail.references[0] === undefined ? {} : { inReplyTo: mail.references[0] }),
          list: { id: { url: mail.listId.id, comment: mail.listId.comment } },
          headers: mail.headers,
          disableFileAccess: true,
          disableUrlAccess: true,
        });
        return rejected.map((address, index) => {
          const reason = rejectedErrors?.[index]?.response;
          return secretsRemoved(reason === undefined ? address : `${address} (${reason})`);
        });
      } catch (error) {
        throw new Error(secretsRemoved(sentenceOf(error, smtp)));
      } finally {
        transport.close();
      }
    },
  };

  /** A server may repeat what it was sent. */
  function secretsRemoved(text: string): string {
    const line = text.replace(/\p{Cc}+/gu, ' ').trim();
    return secretForms(credentials)
      .reduce((rest, form) => rest.replaceAll(form, '***'), line)
      .slice(0, MAX_ERROR);
  }
}

function secretForms(credentials: SmtpSettings['credentials']): string[] {
  if (credentials === null) return [];
  const { user, password } = credentials;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return [password, base64(password), base64(`\0${user}\0${password}`)].filter((form) => form !== '');
}

/** What to do about it, where the error of nodemailer does not say it. */
function sentenceOf(error: unknown, { host, port, encryption }: SmtpSettings): string {
  const server = `the mail server ${host}:${port}`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const response = error instanceof Error && 'response' in error ? error.response : undefined;
  const words = typeof response === 'string' ? response : messageOf(error);
  switch (code) {
    case 'EAUTH':
      return `${server} refused the user or password of SMTP_URL: ${words}`;
    case 'EENVELOPE':
      return `${server} refused the sender or all recipients: ${words}`;
    case 'EMESSAGE':
      return `${server} refused the mail: ${words}`;
    case 'ETLS':
      return encryption === 'STARTTLS'
        ? `${server} does not offer STARTTLS, and Coredock sends no password and no mail in clear: ${words}`
        : `${server}: ${words}`;
    default:
      return `${server}: ${words}`;
  }
}
