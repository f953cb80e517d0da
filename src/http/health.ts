import type { ServerResponse } from 'node:http';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { Database } from '../platform/database/types.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendJson } from '../platform/http/send-json.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import type { Exchange } from './exchange.js';
import type { SessionOf } from './page-sessions.js';

type State = 'ok' | 'down';

interface HealthDeps {
  database: Pick<Database, 'check' | 'isShared' | 'announcements'>;
  storages: ReadonlyArray<{ check(): Promise<void> }>;
  /** Number of missing files by kind. They do not make the server unready, because uploads still work. */
  countMissing(): Promise<ReadonlyArray<readonly [kind: string, count: number]>>;
  /** Null when no sidecar is configured: it is reported as down, which does not make the server unready. */
  sidecar: { isUp(): Promise<boolean> } | null;
  metrics: Metrics;
  gatekeeper: Pick<Gatekeeper, 'admit'>;
  clientAddress: ClientAddress;
  sessionOf: SessionOf;
  isStopping: () => boolean;
  log: Logger;
}

/** A check that takes longer counts as failed: load balancers probe every few seconds. */
const CHECK_TIMEOUT_MS = 3_000;

export function createHealthRoutes({
  database,
  storages,
  countMissing,
  sidecar,
  metrics,
  gatekeeper,
  clientAddress,
  sessionOf,
  isStopping,
  log,
}: HealthDeps) {
  let lastKnownMissing: string[] = [];
  metrics.gaugeBy(
    'coredock_ready',
    'What /readyz says, by part: 1 when it is ok, 0 when it is down; without database or storage no upload is accepted',
    'part',
    async () =>
      Object.entries(await states())
        .filter(([part]) => part !== 'sidecar' || sidecar !== null)
        .map(([part, state]) => [part, state === 'ok' ? 1 : 0] as const),
  );
  return {
    /** The process is running. */
    healthz(response: ServerResponse): void {
      sendJson(response, 200, { status: 'ok' });
    },

    /** Uploads are possible: database and storage are writable, and the server is not stopping. */
    async readyz(response: ServerResponse): Promise<void> {
      const parts = await states();
      const isReady = !isStopping() && parts.database === 'ok' && parts.storage === 'ok';
      const status = isStopping() ? 'stopping' : isReady ? 'ok' : 'down';
      sendJson(response, isReady ? 200 : 503, {
        status,
        ...parts,
        // Without announcements uploads are safe and dumps are parsed; only dashboards are late. So the server stays
        // ready.
        ...(database.isShared ? { events: database.announcements.isHearing() ? 'ok' : 'down' } : {}),
        storageLost: parts.database === 'ok' ? await missingKinds() : lastKnownMissing,
      });
    },

    /** Metrics show the size of the fleet and its failures, so they require a viewer; the probes above are public. */
    async metrics({ request, response }: Pick<Exchange, 'request' | 'response'>): Promise<void> {
      await gatekeeper.admit(clientAddress(request), request.headers.authorization, sessionOf(request));
      const text = await metrics.registry.metrics();
      response.writeHead(200, { 'Content-Type': metrics.registry.contentType }).end(text);
    },
  };

  async function states() {
    const [databaseState, storageState, sidecarState] = await Promise.all([
      probe('database', () => database.check()),
      probe('storage', async () => {
        await Promise.all(storages.map((storage) => storage.check()));
      }),
      probe('sidecar', async () => {
        if (sidecar === null || !(await sidecar.isUp())) throw new Error('no sidecar responds');
      }),
    ]);
    return { database: databaseState, storage: storageState, sidecar: sidecarState };
  }

  /** Only the kinds: the number of missing files is not public. */
  async function missingKinds(): Promise<string[]> {
    try {
      lastKnownMissing = (await countMissing()).flatMap(([kind, count]) => (count > 0 ? [kind] : []));
    } catch (error) {
      log.warn({ err: error }, 'the missing files of the storage could not be counted');
    }
    return lastKnownMissing;
  }

  async function probe(what: string, check: () => Promise<void>): Promise<State> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)),
        CHECK_TIMEOUT_MS,
      );
    });
    try {
      await Promise.race([check(), timeout]);
      return 'ok';
    } catch (error) {
      log.warn({ err: error, what }, 'readiness probe failed');
      return 'down';
    } finally {
      clearTimeout(timer);
    }
  }
}
