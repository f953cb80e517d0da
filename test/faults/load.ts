import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { upload } from '../support/app.js';
import { fixture } from '../support/fixtures.js';
import type { Acknowledged } from './ledger.js';

const BUILD = fixture('thermostat-1.0.0');
const RETRY_MS = 50;

/**
 * Devices that crash all the time, each sending real dumps one after the other, and each dump until it is acknowledged,
 * as the function of docs/devices.md does.
 *
 * @param urls of the servers, as they are now: a balancer that knows nothing
 */
export function crashingDevices({
  devices,
  urls,
  acknowledged,
}: {
  devices: readonly string[];
  urls: () => readonly string[];
  acknowledged: Acknowledged[];
}) {
  let isDone = false;
  let refused = 0;
  const sending = Promise.all(devices.map(crashAgainAndAgain));
  return {
    /** Uploads that were not acknowledged, and sent again. */
    refused: () => refused,
    /** Resolves when what was on its way has been acknowledged. */
    async stop() {
      isDone = true;
      await sending;
    },
  };

  async function crashAgainAndAgain(device: string): Promise<void> {
    while (!isDone) {
      const crash = BUILD.crashes[Math.floor(Math.random() * BUILD.crashes.length)] ?? 'abort';
      const bytes = await readFile(BUILD.dump(crash));
      // The dumps of one crash are alike; their keys say that they are different crashes.
      const headers = { 'Idempotency-Key': randomUUID() };
      acknowledged.push(await sendUntilAcknowledged(device, bytes, headers));
    }
  }

  async function sendUntilAcknowledged(
    device: string,
    bytes: Buffer,
    headers: Record<string, string>,
  ): Promise<Acknowledged> {
    for (;;) {
      const all = urls();
      const url = all[Math.floor(Math.random() * all.length)];
      try {
        if (url === undefined) throw new Error('no server is up');
        const response = await upload({ url }, bytes, { device, headers, version: BUILD.version });
        const body = (await response.json()) as { coredumpId: string; filename: string };
        if (response.status === 201) {
          const sha256 = createHash('sha256').update(bytes).digest('hex');
          return {
            device,
            coredumpId: body.coredumpId,
            filename: body.filename,
            sha256,
            size: bytes.byteLength,
          };
        }
      } catch {
        // No server, or one that died before its answer was through.
      }
      refused += 1;
      await pause(RETRY_MS);
    }
  }
}
