import type { AuthSettings } from '../config/settings.js';
import { DomainError, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { readClaims } from './claims.js';
import {
  createDeviceCredentials,
  type DeviceClaim,
  type DeviceRegister,
  type Found,
  IngestKeyRevoked,
  type Sender,
} from './device-credentials.js';
import { isIngestKey } from './ingest-key-token.js';
import { createIssuers, type ReadToken } from './issuers.js';
import { ANYBODY, type DeviceIdentity, type IngestKeyIdentity, type Principal } from './principal.js';
import { createStaticTokens } from './static-tokens.js';
import { RenewalRefused, type RenewalRequest, type RenewedTokens } from './token-renewal.js';

export interface Authenticator {
  /** False: everyone who can reach the server may do everything. */
  readonly isOn: boolean;
  /** Origins that a browser contacts for a sign-in at the issuer, as far as they are known. */
  issuerOrigins(): readonly string[];
  /**
   * Identifies the sender of a request; without credentials it is a stranger.
   *
   * @param authorization the value of an `Authorization` header
   * @throws DomainError UNAUTHENTICATED (invalid credentials), FORBIDDEN (valid, but without a role), NOT_FOUND (an
   *   unknown device), UNAVAILABLE (they cannot be verified now)
   */
  authenticate(authorization: string | undefined): Promise<Principal>;
  /**
   * Identifies the device of an upload or a boot report: by its credentials, or by `claim` without credentials while
   * authentication is off. A device that is not registered may register itself with an ingest key, or while
   * authentication is off.
   *
   * @throws DomainError as `authenticate`; also FORBIDDEN for the credentials of a person or of a device other than
   *   `claim`, for a device that was rejected, and for an ingest key where the device has a token of its own
   */
  authenticateDevice(authorization: string | undefined, claim: DeviceClaim): Promise<Sender>;
  /**
   * Identifies a device that has no place for a credential: while authentication is on, the model's ingest key with the
   * name `keyName` stands for it, with its limits, its approval and its revocation.
   *
   * @throws DomainError as `authenticateDevice`; UNAUTHENTICATED when the model has no such key
   */
  authenticateWithoutKey(keyName: string, claim: { modelCode: string; serial: string }): Promise<Sender>;
  /**
   * New tokens of the issuer for a session of the page.
   *
   * @throws RenewalRefused when the issuer gives none any more; DomainError UNAVAILABLE when it does not answer
   */
  renew(request: Omit<RenewalRequest, 'endpoint'>): Promise<RenewedTokens>;
}

interface AuthenticatorDeps {
  settings: AuthSettings;
  devices: DeviceRegister & {
    findByToken(token: string): Promise<DeviceIdentity | null>;
    /** Null when there is no such key. `serial` null: no device is looked for. */
    findByIngestKey(
      key: string,
      serial: string | null,
    ): Promise<(Found & { ingestKey: IngestKeyIdentity; isRevoked: boolean }) | null>;
    /** Of the keys that are not revoked. */
    findByIngestKeyName(
      modelCode: string,
      name: string,
      serial: string,
    ): Promise<(Found & { ingestKey: IngestKeyIdentity }) | null>;
  };
  clock: Clock;
  log: Logger;
}

/** A JWT has some hundred characters, and some thousand with many roles. */
const BEARER = /^Bearer +([\w.~+/-]{1,16384}=*) *$/i;
/** Three parts in base64url. Coredock's own tokens have no dots. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** False: everyone who can reach the server may do everything. */
export function isAuthenticationOn({ issuer, trustedPublishers, tokens }: AuthSettings): boolean {
  const hasIssuer = issuer !== null || trustedPublishers.length > 0;
  return hasIssuer || Object.values(tokens).some((digests) => digests.length > 0);
}

export function createAuthenticator({ settings, devices, clock, log }: AuthenticatorDeps): Authenticator {
  const tokens = createStaticTokens(settings.tokens);
  const issuers = createIssuers(settings, { clock, log });
  const isOn = isAuthenticationOn(settings);
  const senderOf = createDeviceCredentials({ isOn, devices });

  return {
    isOn,
    issuerOrigins: () => issuers?.originsForPeople() ?? [],
    authenticate: async (authorization) => (isOn ? recognise(authorization) : ANYBODY),

    async renew(request) {
      if (issuers === null) throw new RenewalRefused('OIDC_ISSUER is not set any more');
      return issuers.renew(request);
    },

    async authenticateDevice(authorization, claim) {
      return senderOf(await recognise(authorization, claim.serial), claim);
    },

    async authenticateWithoutKey(keyName, { modelCode, serial }) {
      const claim = { deviceKey: null, modelCode, serial };
      if (!isOn) return senderOf({ kind: 'stranger' }, claim);
      const found = await devices.findByIngestKeyName(modelCode, keyName, serial);
      if (found !== null) return senderOf({ kind: 'ingestKey', ...found, until: null }, claim);
      throw new DomainError(
        'UNAUTHENTICATED',
        `The model "${modelCode.slice(0, 64)}" does not exist, or has no ingest key with the name "${keyName}": an admin ` +
          'opens the model to these devices by creating one.',
      );
    },
  };

  /** @param serial of the device that an ingest key is sent for, so that both are read in one statement */
  async function recognise(
    authorization: string | undefined,
    serial: string | null = null,
  ): Promise<Principal> {
    if (authorization === undefined) return { kind: 'stranger' };
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw /^Bearer /i.test(authorization) ? invalidToken() : noBearer();
    const person = tokens.find(token);
    if (person !== null) return person;
    if (issuers !== null && JWT.test(token)) return ofIssuer(await issuers.read(token));
    if (isIngestKey(token)) {
      const found = await devices.findByIngestKey(token, serial);
      if (found === null) throw new DomainError('UNAUTHENTICATED', 'The ingest key is not valid.');
      const { isRevoked, ...key } = found;
      if (isRevoked) throw new IngestKeyRevoked(key.ingestKey.hint);
      return { kind: 'ingestKey', ...key, until: null };
    }
    const device = await devices.findByToken(token);
    if (device === null) throw invalidToken();
    return { kind: 'device', device, until: null };
  }

  async function ofIssuer(read: ReadToken): Promise<Principal> {
    if (read.kind === 'person') return read.person;
    const { claims, until, rolesClaim } = read;
    const claimed = readClaims(claims, rolesClaim);
    switch (claimed.kind) {
      case 'device':
        return { kind: 'device', device: await deviceOf(claimed), until };
      case 'nobody':
        throw new DomainError(
          'FORBIDDEN',
          `The token is valid, but its claim "${rolesClaim}" has no role: "viewer", "uploader" or "admin".`,
        );
      default:
        return { ...claimed, via: 'issuer', until };
    }
  }

  async function deviceOf({ modelCode, deviceKey }: { modelCode: string; deviceKey: string }) {
    const device = await devices.findByKey(deviceKey);
    if (device === null) throw notFound('device', deviceKey);
    if (device.modelCode === modelCode) return device;
    throw new DomainError(
      'FORBIDDEN',
      `The token says that device "${deviceKey}" is of model "${modelCode}", which it is not.`,
    );
  }
}

function invalidToken(): DomainError {
  return new DomainError('UNAUTHENTICATED', 'The token is not valid.');
}

function noBearer(): DomainError {
  return new DomainError(
    'UNAUTHENTICATED',
    'The header Authorization does not begin with "Bearer": send "Authorization: Bearer …".',
  );
}
