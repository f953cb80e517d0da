import { badInput, DomainError, notFound } from '../errors.js';
import { isIngestKey } from './ingest-key-token.js';
import type { DeviceIdentity, IngestKeyIdentity, Principal } from './principal.js';

/** What a request says about the device that sends it, beside its credentials. */
export interface DeviceClaim {
  deviceKey: string | null;
  modelCode: string | null;
  serial: string | null;
}

/** A device that is not registered yet, and may register itself. */
export interface Newcomer {
  serial: string;
  modelId: number;
  modelCode: string;
  /** Null while authentication is off. */
  ingestKey: IngestKeyIdentity | null;
}

/** Who sends a crash or a boot report. */
export type Sender = { isNew: false; device: DeviceIdentity } | { isNew: true; newcomer: Newcomer };

export interface DeviceRegister {
  findByKey(key: string): Promise<DeviceIdentity | null>;
  /** Null when there is no such model. */
  findBySerial(modelCode: string, serial: string): Promise<(Omit<Newcomer, 'ingestKey'> & Found) | null>;
}

/** The registered device with the serial. */
export interface Found {
  device: DeviceIdentity | null;
}

const SERIAL = /^[A-Za-z0-9._:-]{1,64}$/;

/** The device of a request whose credentials are known. */
export function createDeviceCredentials({ isOn, devices }: { isOn: boolean; devices: DeviceRegister }) {
  /** @throws DomainError BAD_USER_INPUT, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND */
  return async function senderOf(principal: Principal, claim: DeviceClaim): Promise<Sender> {
    requireWellFormed(claim);
    const sender = await identified(principal, claim);
    if (!sender.isNew) refuseRejected(sender.device);
    return sender;
  };

  async function identified(principal: Principal, claim: DeviceClaim): Promise<Sender> {
    switch (principal.kind) {
      case 'stranger':
        if (!isOn) return byClaim(claim);
        throw new DomainError(
          'UNAUTHENTICATED',
          'Send the device’s token or an ingest key of its model ("Authorization: Bearer …"); device_key alone proves ' +
            'nothing.',
        );
      case 'device':
        refuseOther(principal.device, claim);
        return { isNew: false, device: principal.device };
      case 'ingestKey':
        return byIngestKey(principal, claim);
      default:
        throw new DomainError(
          'FORBIDDEN',
          'Only devices send crashes and boot reports; this token is not a device’s.',
        );
    }
  }

  async function byClaim({ deviceKey, modelCode, serial }: DeviceClaim): Promise<Sender> {
    if (deviceKey === null && serial !== null) return bySerial(modelCode, serial);
    if (deviceKey === null) {
      throw badInput(
        'device_key is missing: name the device, or its model and serial (model=… and device_serial=…), or send its ' +
          'token as a Bearer token.',
      );
    }
    const device = await devices.findByKey(deviceKey);
    if (device === null) throw notFound('device', deviceKey);
    refuseOther(device, { deviceKey, modelCode, serial });
    return { isNew: false, device };
  }

  async function bySerial(modelCode: string | null, serial: string): Promise<Sender> {
    if (modelCode === null) {
      throw badInput('model is missing: name the model of the device beside device_serial, by its code.');
    }
    const found = await devices.findBySerial(modelCode, serial);
    if (found === null) {
      throw new DomainError(
        'NOT_FOUND',
        `There is no device model "${modelCode}": create it on the page under Firmware, or with the mutation ` +
          'createDeviceModel(input: {code, name}).',
      );
    }
    const { device, ...newcomer } = found;
    return device === null
      ? { isNew: true, newcomer: { ...newcomer, ingestKey: null } }
      : { isNew: false, device };
  }
}

/** @throws DomainError FORBIDDEN */
export function refuseRejected({ key, approval }: Pick<DeviceIdentity, 'key' | 'approval'>): void {
  if (approval === 'REJECTED') throw new DeviceRejected(key);
}

/** An admin does not want what this device sends. */
export class DeviceRejected extends DomainError {
  constructor(key: string) {
    super('FORBIDDEN', `The device "${key}" was rejected: an admin can approve it.`);
  }
}

/** Many devices may still have it: their requests are no guesses. */
export class IngestKeyRevoked extends DomainError {
  constructor(hint: string) {
    super('UNAUTHENTICATED', `The ingest key (…${hint}) was revoked: the device needs another one.`);
  }
}

/** A key that a whole product has never speaks for a device with a credential of its own. @throws DomainError FORBIDDEN */
export function refuseOwnToken({ key, tokenState }: Pick<DeviceIdentity, 'key' | 'tokenState'>): void {
  if (tokenState === 'none') return;
  throw new DomainError(
    'FORBIDDEN',
    tokenState === 'own'
      ? `The device "${key}" has a token of its own: it must send that token, not an ingest key of its model.`
      : `The token of the device "${key}" was revoked, so ingest keys are refused for it too: rotateDeviceToken makes a ` +
          'new token.',
  );
}

function byIngestKey(
  { ingestKey, device }: Principal & { kind: 'ingestKey' },
  { deviceKey, modelCode, serial }: DeviceClaim,
): Sender {
  if (serial === null) {
    throw badInput('device_serial is missing: with an ingest key a device is named by its serial.');
  }
  if (modelCode !== null && modelCode !== ingestKey.modelCode) {
    throw new DomainError(
      'FORBIDDEN',
      `The ingest key is of the model "${ingestKey.modelCode}", not of "${modelCode}".`,
    );
  }
  if (device !== null) {
    refuseOwnToken(device);
    refuseOther(device, { deviceKey, modelCode: null, serial: null });
    return { isNew: false, device };
  }
  if (deviceKey !== null) {
    throw badInput('device_key does not go with an ingest key: the server makes the key of a new device.');
  }
  const { modelId } = ingestKey;
  return { isNew: true, newcomer: { serial, modelId, modelCode: ingestKey.modelCode, ingestKey } };
}

/** @throws DomainError FORBIDDEN when the request names another device than its credentials */
function refuseOther(device: DeviceIdentity, { deviceKey, modelCode, serial }: DeviceClaim): void {
  const others = [
    deviceKey === null || deviceKey === device.key ? null : `device_key "${deviceKey}"`,
    serial === null || device.serial === null || serial === device.serial
      ? null
      : `device_serial "${serial}"`,
    modelCode === null || modelCode === device.modelCode ? null : `model "${modelCode}"`,
  ].filter((other) => other !== null);
  if (others.length === 0) return;
  throw new DomainError('FORBIDDEN', `The token is of another device than ${others.join(' and ')}.`);
}

/** Errors and the log repeat these values: what was put into the wrong parameter may be a secret. */
function requireWellFormed({ deviceKey, modelCode, serial }: DeviceClaim): void {
  if (deviceKey !== null && !/^[a-z0-9]{1,32}$/.test(deviceKey)) {
    throw badInput('device_key must be 1 to 32 of a-z and 0-9.');
  }
  if (modelCode !== null && !/^[a-z0-9_]{1,32}$/.test(modelCode)) {
    throw badInput('model must be the code of a model: 1 to 32 of a-z, 0-9 and "_".');
  }
  if (serial !== null && !SERIAL.test(serial)) {
    throw badInput('device_serial must be 1 to 64 of A-Z, a-z, 0-9, ".", "_", ":" and "-".');
  }
  if (serial !== null && isIngestKey(serial)) {
    throw badInput(
      'device_serial is an ingest key: send the key as "Authorization: Bearer …", and what is printed on the device here.',
    );
  }
}
