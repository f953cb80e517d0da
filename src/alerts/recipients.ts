import * as z from 'zod';
import { badInput } from '../errors.js';
import { isMailAddress } from '../platform/mail/address.js';

/** A mailing list is made for more people. */
const MAX_RECIPIENTS = 20;

const stored = z.array(z.string());

/** Of the column, which is JSON. */
export function readRecipients(column: string | null): string[] {
  return column === null ? [] : stored.parse(JSON.parse(column));
}

/** @throws DomainError BAD_USER_INPUT, which names the one that is wrong */
export function checkRecipients(recipients: readonly string[]): void {
  if (recipients.length === 0 || recipients.length > MAX_RECIPIENTS) {
    throw badInput(`A rule for mails has 1 to ${MAX_RECIPIENTS} recipients.`, { field: 'recipients' });
  }
  for (const [index, address] of recipients.entries()) {
    if (isMailAddress(address)) continue;
    throw badInput(`"${address.slice(0, 100)}" is not a mail address, such as oncall@example.org.`, {
      field: `recipients.${index}`,
    });
  }
}
