import { ask } from './ask.js';
import type { Peer } from './processes.js';

/** Registers a model and the devices `bench0`, `bench1`… by GraphQL. */
export async function register({ url }: Peer, devices: number): Promise<void> {
  await ask(url, 'mutation { createDeviceModel(input: { code: "bench", name: "Bench" }) { id } }');
  for (let index = 0; index < devices; index++) {
    await ask(
      url,
      `mutation { createDevice(input: { modelCode: "bench", key: "bench${index}" }) { token } }`,
    );
  }
}
