import type { Authenticator } from '../auth/authenticator.js';
import type { DeviceIdentity } from '../auth/principal.js';
import type { Registration } from '../devices/registration.js';
import { type EspCrashIdentity, modelCodeOf, serialOf } from './esp-crash-identity.js';

/** The name of the ingest key that stands for devices without one, for whoever migrates: docs/migrating.md. */
const KEY_NAME = 'esp-crash';

/**
 * The device of a dump of esp-crash, which is registered if it is new. With an ingest key in the URL the dump is of that
 * key's model, otherwise of the model that its project names.
 */
export function createEspCrashSenders({
  auth,
  registration,
}: {
  auth: Pick<Authenticator, 'authenticateDevice' | 'authenticateWithoutKey'>;
  registration: Pick<Registration, 'register'>;
}) {
  return async function findSender(
    { project, device }: EspCrashIdentity,
    key: string | null,
    from: { address: string; requestId: string },
  ): Promise<DeviceIdentity> {
    const serial = serialOf(device);
    const sender =
      key === null
        ? await auth.authenticateWithoutKey(KEY_NAME, { modelCode: modelCodeOf(project), serial })
        : await auth.authenticateDevice(`Bearer ${key}`, { deviceKey: null, modelCode: null, serial });
    if (!sender.isNew) return sender.device;
    return (await registration.register(sender.newcomer, from)).device;
  };
}
