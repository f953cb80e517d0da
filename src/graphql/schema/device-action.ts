import type { DeviceRow } from '../../devices/types.js';
import { builder } from './builder.js';
import type { Services } from './context.js';
import { Device } from './device.js';
import { requireId } from './inputs.js';

export const DEVICE_ID = 'Global id of the device.';

/** A mutation that takes the id of a device and nothing else, and answers the device after the change. */
export function deviceAction(
  name: string,
  description: string,
  act: (devices: Services['devices'], id: number) => Promise<DeviceRow>,
): void {
  builder.relayMutationField(
    name,
    {
      description: `Input of \`${name}\`.`,
      inputFields: (t) => ({ id: t.id({ required: true, description: DEVICE_ID }) }),
    },
    {
      description,
      resolve: (_, { input: { id } }, { services }) => act(services.devices, requireId('Device', id)),
    },
    {
      description: `Answer of \`${name}\`.`,
      outputFields: (t) => ({
        device: t.field({
          type: Device,
          description: 'The device after the change.',
          resolve: (device) => device,
        }),
      }),
    },
  );
}
