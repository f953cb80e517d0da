import { ask } from './ask.js';
import type { Peer } from './processes.js';

/** Registers a model and the devices `bench0`, `bench1`… by GraphQL. */
export async function register({ url }: Peer, devices: number): Promise<void> {
  await ask(url, 'mutation { createDeviceModel(input: { code: "bench", name: "Bench" }) { __typename } }');
  for (let index = 0; index < devices; index++) {
    await ask(
      url,
      `mutation { createDevice(input: { modelCode: "bench", key: "bench${index}" }) { token } }`,
    );
  }
}

/** A dump of the device `bench{device}`, which is stored or rejects. */
export async function sendDump(
  url: string,
  device: number,
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<void> {
  const path = `/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=bench${device}`;
  const { status } = await fetch(url + path, { method: 'POST', headers, body });
  if (status !== 201) throw new Error(`answered ${status}`);
}

/** A bare ELF as the model's version 1.0.0. */
export async function uploadFirmware(url: string, elf: Uint8Array<ArrayBuffer>): Promise<void> {
  const form = new FormData();
  const query =
    'mutation ($bundle: Upload!) { uploadFirmware(input: { modelCode: "bench", bundle: $bundle, version: "1.0.0" }) { firmware { id } } }';
  form.set('operations', JSON.stringify({ query, variables: { bundle: null } }));
  form.set('map', JSON.stringify({ bundle: ['variables.bundle'] }));
  form.set('bundle', new Blob([elf]), 'firmware.elf');
  const answer = (await (await fetch(`${url}/graphql`, { method: 'POST', body: form })).json()) as {
    errors?: unknown;
  };
  if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
}
