import { DomainError } from '../errors.js';

/** What an upload needs to know of its device. */
export interface DeviceIdentity {
  id: number;
  key: string;
  modelId: number;
  modelCode: string;
}

/** Who is asking, as far as their credentials say. */
export type Principal =
  /** Nobody that we know: no credentials came. */
  | { readonly kind: 'stranger' }
  /** May upload, as itself, and nothing else. */
  | { readonly kind: 'device'; readonly device: DeviceIdentity; readonly until: Date | null }
  | Person;

/** Somebody, or a program, who reads (viewer) or also changes things (admin). */
export interface Person {
  readonly kind: 'viewer' | 'admin';
  /** For audit and logs; never the credentials themselves. */
  readonly name: string;
  /** What vouches for them. `open`: authentication is off, and everybody is this. */
  readonly via: 'open' | 'token' | 'issuer' | 'link';
  /** When their credentials end; null when they do not. */
  readonly until: Date | null;
}

/** Everybody, where authentication is off. */
export const ANYBODY: Person = { kind: 'admin', name: 'anybody', via: 'open', until: null };

/** @throws DomainError UNAUTHENTICATED (a stranger, or credentials that have ended), FORBIDDEN (a device) */
export function requirePerson(principal: Principal, now: Date): Person {
  switch (principal.kind) {
    case 'stranger':
      throw new DomainError('UNAUTHENTICATED', 'Send your token: "Authorization: Bearer …".');
    case 'device':
      throw new DomainError('FORBIDDEN', 'A device may only upload core dumps.');
    default:
      if (hasEnded(principal, now)) throw tokenHasEnded();
      return principal;
  }
}

export function hasRole({ kind }: Person, role: Person['kind']): boolean {
  return kind === 'admin' || kind === role;
}

/** For who has a role, but not the one that is needed. */
export function refusalOf({ kind }: Person): DomainError {
  return new DomainError('FORBIDDEN', `This is for admins; your token is a ${kind}’s.`);
}

function hasEnded({ until }: Pick<Person, 'until'>, now: Date): boolean {
  return until !== null && until <= now;
}

export const tokenHasEnded = () =>
  new DomainError('UNAUTHENTICATED', 'The token has expired: get a new one and connect again.');
