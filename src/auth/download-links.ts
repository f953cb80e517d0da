import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Person, Reader } from './principal.js';

/** Long enough for a click, too short to be shared. */
const VALID_SECONDS = 5 * 60;

export type DownloadLinks = ReturnType<typeof createDownloadLinks>;

/**
 * Lets a browser, which cannot send a header with a link, download one dump for a short time. A link contains its
 * expiry, the role and name of the person, and a signature over these and the dump: `{seconds since
 * 1970}.{role}.{name}.{HMAC-SHA-256}`.
 */
export function createDownloadLinks({ secret, clock }: { secret: Buffer; clock: Pick<Clock, 'now'> }) {
  return {
    issue(coredumpId: number, person: Person): string {
      const ends = Math.floor(clock.now().getTime() / 1000) + VALID_SECONDS;
      const untilSeconds = Math.min(
        ends,
        Math.floor((person.until?.getTime() ?? Number.POSITIVE_INFINITY) / 1000),
      );
      const claim = `${untilSeconds}.${person.kind}.${Buffer.from(person.name).toString('base64url')}`;
      return `${claim}.${sign(coredumpId, claim).toString('base64url')}`;
    },

    /** @returns the person for whom the link was made. @throws DomainError UNAUTHENTICATED */
    check(coredumpId: number, link: string): Reader {
      const { claim = '', until = '', role = '', name = '', signature = '' } = LINK.exec(link)?.groups ?? {};
      const expected = sign(coredumpId, claim);
      const presented = Buffer.from(signature, 'base64url');
      if (presented.length !== expected.length || !timingSafeEqual(presented, expected)) {
        throw new DomainError('UNAUTHENTICATED', 'The download link is not valid for this core dump.');
      }
      const end = new Date(Number(until) * 1000);
      if (end <= clock.now()) {
        throw new DomainError('UNAUTHENTICATED', 'The download link has expired: ask for downloadUrl again.');
      }
      const kind = role === 'admin' ? 'admin' : 'viewer';
      return { kind, name: Buffer.from(name, 'base64url').toString(), via: 'link', until: end };
    },
  };

  function sign(coredumpId: number, claim: string): Buffer {
    return createHmac('sha256', secret).update(`download ${coredumpId} ${claim}`).digest();
  }
}

const LINK =
  /^(?<claim>(?<until>\d{1,12})\.(?<role>viewer|admin)\.(?<name>[\w-]{0,500}))\.(?<signature>[\w-]{43})$/;
