import { DomainError } from '../errors.js';

/** The device of an upload. */
export interface DeviceIdentity {
  id: number;
  key: string;
  /** Null: not known. */
  serial: string | null;
  approval: string;
  /** `none`: it uses an ingest key. */
  tokenState: 'own' | 'revoked' | 'none';
  modelId: number;
  modelCode: string;
}

/** A credential that all devices of a model share. */
export interface IngestKeyIdentity {
  id: number;
  name: string;
  /** Its last characters. */
  hint: string;
  modelId: number;
  modelCode: string;
  newDevicesPerHour: number;
  /** The hour in which new devices are counted, and how many there were when this was read. */
  hourStartedAt: Date | null;
  newDevicesInHour: number;
}

/** Who sends a request, according to the credentials. */
export type Principal =
  /** No credentials. */
  | { readonly kind: 'stranger' }
  /** May upload its own dumps and do nothing else. */
  | { readonly kind: 'device'; readonly device: DeviceIdentity; readonly until: Date | null }
  /** May upload for devices of its model. `device` has the serial that the request names; null: no device has it. */
  | {
      readonly kind: 'ingestKey';
      readonly ingestKey: IngestKeyIdentity;
      readonly device: DeviceIdentity | null;
      readonly until: null;
    }
  | Person;

/** What a person or a program may do: read (viewer), only upload firmware (uploader), or everything (admin). */
export type Role = 'viewer' | 'uploader' | 'admin';

/** A person or a program with a role. */
export interface Person {
  readonly kind: Role;
  /** For audit and logs; never the credentials. */
  readonly name: string;
  /** What the issuer knows the person by; names can be chosen at some issuers. Absent: the name says who it is. */
  readonly subject?: string | undefined;
  /**
   * How the person was authenticated. `open`: authentication is off, and everyone is an admin. `publisher`: the token of
   * a CI job.
   */
  readonly via: 'open' | 'token' | 'issuer' | 'link' | 'publisher';
  /** When their credentials expire; null: never. */
  readonly until: Date | null;
  /** Codes of the only models whose firmware they may upload; absent: their role alone decides. */
  readonly models?: readonly string[];
}

/** Someone who may read the fleet: not an uploader. */
export type Reader = Person & { readonly kind: 'viewer' | 'admin' };

/** The person of every request while authentication is off. */
export const ANYBODY: Reader = { kind: 'admin', name: 'anybody', via: 'open', until: null };

/** As `requirePerson`; also @throws DomainError FORBIDDEN for an uploader, who may not read */
export function requireReader(principal: Principal, now: Date): Reader {
  const person = requirePerson(principal, now);
  if (isReader(person)) return person;
  throw refusalOf(person);
}

/** @throws DomainError UNAUTHENTICATED (no credentials, or expired ones), FORBIDDEN (a device or an ingest key) */
export function requirePerson(principal: Principal, now: Date): Person {
  switch (principal.kind) {
    case 'stranger':
      throw new DomainError('UNAUTHENTICATED', 'Send your token: "Authorization: Bearer …".');
    case 'device':
      throw new DomainError('FORBIDDEN', 'A device may only upload crashes and boot reports.');
    case 'ingestKey':
      throw new DomainError('FORBIDDEN', 'An ingest key may only upload crashes and boot reports.');
    default:
      if (hasEnded(principal, now)) throw new TokenExpired();
      return principal;
  }
}

/** Says in the database who did something, or whose it is: one person has one, whatever the name is today. */
export function identityOf({ via, name, subject }: Pick<Person, 'via' | 'name' | 'subject'>): string {
  return `${via}:${subject ?? name}`;
}

export function hasRole({ kind }: Person, role: Role): boolean {
  return kind === 'admin' || kind === role;
}

export function isReader(person: Person): person is Reader {
  return person.kind !== 'uploader';
}

/** The error for a person without the required role. @param allowed those who may, as people call them */
export function refusalOf({ kind }: Person, allowed = 'admins'): DomainError {
  if (kind === 'uploader') {
    return new DomainError(
      'FORBIDDEN',
      'An uploader may only upload firmware; this needs the token of a viewer or admin.',
    );
  }
  return new DomainError('FORBIDDEN', `This is for ${allowed}; your token is a ${kind}’s.`);
}

/** @throws DomainError FORBIDDEN for a CI job that is trusted for other models only */
export function assertMayUploadFor({ models }: Person, modelCode: string): void {
  if (models === undefined || models.includes(modelCode)) return;
  throw new DomainError(
    'FORBIDDEN',
    `This CI job may upload firmware of ${models.join(', ')}, and not of "${modelCode.slice(0, 64)}".`,
    { field: 'modelCode' },
  );
}

function hasEnded({ until }: Pick<Person, 'until'>, now: Date): boolean {
  return until !== null && until <= now;
}

/** The token was right until it expired: a client that can get a new one should try again, now. */
export class TokenExpired extends DomainError {
  constructor(message = 'The token has expired: get a new one and connect again.') {
    super('UNAUTHENTICATED', message);
  }
}
