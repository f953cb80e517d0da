import * as z from 'zod';
import { isMailAddress } from '../platform/mail/address.js';
import type { MailAddress, SmtpSettings } from '../platform/mail/mailer.js';
import { isLoopback } from './loopback.js';

/** SMTP_URL as it was read, without the sender. */
export type SmtpServer = Omit<SmtpSettings, 'from'>;

const PORTS = { 'smtp:': 587, 'smtps:': 465 };

/** `smtp://USER:PASSWORD@HOST:PORT` or `smtps://…`. The error does not show the value: it may contain a password. */
export function smtpUrl() {
  return z.string().transform((text, context): SmtpServer => {
    const server = readSmtpUrl(text);
    if (server !== null) return server;
    context.addIssue({
      code: 'custom',
      message:
        'it is neither smtp://USER:PASSWORD@HOST:PORT (STARTTLS) nor smtps://USER:PASSWORD@HOST:PORT, without path and ' +
        'query; write a "@", "/", ":", "#" or "%" of the password as %40, %2F, %3A, %23 or %25',
    });
    return z.NEVER;
  });
}

function readSmtpUrl(text: string): SmtpServer | null {
  if (!URL.canParse(text)) return null;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (protocol !== 'smtp:' && protocol !== 'smtps:') return null;
  const credentials = readCredentials(username, password);
  const isWhole = hostname !== '' && (pathname === '' || pathname === '/') && search === '' && hash === '';
  if (!isWhole || credentials === undefined || port === '0') return null;
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: port === '' ? PORTS[protocol] : Number(port),
    // A mail server on the same machine needs none on the way to it, and rarely has a certificate for it.
    encryption: protocol === 'smtps:' ? 'TLS' : isLoopback(host) ? 'NONE' : 'STARTTLS',
    credentials,
  };
}

/** @returns null for none, undefined for half of them or a wrong escape */
function readCredentials(username: string, password: string): SmtpServer['credentials'] | undefined {
  if (username === '' && password === '') return null;
  if (username === '' || password === '') return undefined;
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return undefined;
  }
}

/** `coredock@example.org`, or `Coredock <coredock@example.org>`. */
export function mailAddress() {
  return z.string().transform((text, context): MailAddress => {
    const [, name = '', bracketed] = /^([^<>"\p{Cc}]{0,100}?)\s*<([^<>]+)>$/u.exec(text) ?? [];
    const address = bracketed ?? text;
    if (isMailAddress(address)) return { name: name.trim(), address };
    context.addIssue({
      code: 'custom',
      message: `"${text}" is not a mail address, such as coredock@example.org or Coredock <coredock@example.org>`,
    });
    return z.NEVER;
  });
}
