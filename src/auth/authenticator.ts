import type { AuthSettings } from '../config/settings.js';
import { badInput, DomainError, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { readClaims } from './claims.js';
import { createIssuers, type ReadToken } from './issuers.js';
import { ANYBODY, type DeviceIdentity, type Principal } from './principal.js';
import { createStaticTokens } from './static-tokens.js';

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
   * Identifies the device of an upload: by its credentials, or by `deviceKey` without credentials while authentication
   * is off.
   *
   * @throws DomainError as `authenticate`; also FORBIDDEN for the credentials of a person, or of a device other than
   *   `deviceKey`
   */
  authenticateDevice(authorization: string | undefined, deviceKey: string | null): Promise<DeviceIdentity>;
}

interface AuthenticatorDeps {
  settings: AuthSettings;
  devices: {
    findByKey(key: string): Promise<DeviceIdentity | null>;
    findByToken(token: string): Promise<DeviceIdentity | null>;
  };
  clock: Clock;
  log: Logger;
}

/** A JWT has some hundred characters, and some thousand with many roles. */
const BEARER = /^Bearer +([\w.~+/-]{1,16384}=*) *$/i;
/** Three parts in base64url. Coredock's own tokens have no dots. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

export function createAuthenticator({ settings, devices, clock, log }: AuthenticatorDeps): Authenticator {
  const tokens = createStaticTokens(settings.tokens);
  const issuers = createIssuers(settings, { clock, log });
  const isOn = issuers !== null || Object.values(settings.tokens).some((digests) => digests.length > 0);

  return {
    isOn,
    issuerOrigins: () => issuers?.originsForPeople() ?? [],
    authenticate: async (authorization) => (isOn ? recognise(authorization) : ANYBODY),

    async authenticateDevice(authorization, deviceKey) {
      const principal = await recognise(authorization);
      switch (principal.kind) {
        case 'stranger':
          if (!isOn) return byKey(deviceKey);
          throw new DomainError(
            'UNAUTHENTICATED',
            'Send the device’s token ("Authorization: Bearer …"); device_key alone proves nothing.',
          );
        case 'device':
          if (deviceKey === null || deviceKey === principal.device.key) return principal.device;
          throw new DomainError(
            'FORBIDDEN',
            `The token is of another device than device_key "${deviceKey.slice(0, 64)}".`,
          );
        default:
          throw new DomainError('FORBIDDEN', 'Only devices upload core dumps; this token is not a device’s.');
      }
    },
  };

  async function recognise(authorization: string | undefined): Promise<Principal> {
    if (authorization === undefined) return { kind: 'stranger' };
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw invalidToken();
    const person = tokens.find(token);
    if (person !== null) return person;
    if (issuers !== null && JWT.test(token)) return ofIssuer(await issuers.read(token));
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

  async function byKey(key: string | null): Promise<DeviceIdentity> {
    if (key === null) {
      throw badInput('device_key is missing: name the device, or send its token as a Bearer token.');
    }
    if (!/^[a-z0-9]{1,32}$/.test(key)) throw badInput('device_key must be 1 to 32 of a-z and 0-9.');
    const device = await devices.findByKey(key);
    if (device === null) throw notFound('device', key);
    return device;
  }
}

function invalidToken(): DomainError {
  return new DomainError('UNAUTHENTICATED', 'The token is not valid.');
}
