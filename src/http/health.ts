import type { ServerResponse } from 'node:http';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { Database } from '../platform/database/types.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendJson } from '../platform/http/send-json.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import type { Exchange } from './exchange.js';

type State = 'ok' | 'down';

interface HealthDeps {
  database: Pick<Database, 'check' | 'isShared' | 'announcements'>;
  storages: ReadonlyArray<{ check(): Promise<void> }>;
  /** Missing files by their kind. They do not make the server unready: uploads can be taken in all the same. */
  countLost(): Promise<ReadonlyArray<readonly [kind: string, count: number]>>;
  /** Null when no sidecar is configured: then it is reported as down, which does not make the server unready. */
  sidecar: { isUp(): Promise<boolean> } | null;
  metrics: Metrics;
  gatekeeper: Pick<Gatekeeper, 'admit'>;
  clientAddress: ClientAddress;
  isStopping: () => boolean;
  log: Logger;
}

/** A probe that hangs counts as failed; load balancers ask every few seconds. */
const CHECK_TIMEOUT_MS = 3_000;

export function createHealthRoutes({
  database,
  storages,
  countLost,
  sidecar,
  metrics,
  gatekeeper,
  clientAddress,
  isStopping,
  log,
}: HealthDeps) {
  let lastKnownLost: string[] = [];
  return {
    /** The process is up. */
    healthz(response: ServerResponse): void {
      sendJson(response, 200, { status: 'ok' });
    },

    /** Uploads can be taken in: database and storage can be written, and the server does not stop. */
    async readyz(response: ServerResponse): Promise<void> {
      const [databaseState, storageState, sidecarState] = await Promise.all([
        probe('database', () => database.check()),
        probe('storage', async () => {
          await Promise.all(storages.map((storage) => storage.check()));
        }),
        probe('sidecar', async () => {
          if (sidecar === null || !(await sidecar.isUp())) throw new Error('no sidecar answers');
        }),
      ]);
      const isReady = !isStopping() && databaseState === 'ok' && storageState === 'ok';
      const status = isStopping() ? 'stopping' : isReady ? 'ok' : 'down';
      sendJson(response, isReady ? 200 : 503, {
        status,
        database: databaseState,
        storage: storageState,
        sidecar: sidecarState,
        // Without them uploads are safe and dumps are parsed; only dashboards are late, so the server stays ready.
        ...(database.isShared ? { events: database.announcements.isHearing() ? 'ok' : 'down' } : {}),
        storageLost: databaseState === 'ok' ? await kindsLost() : lastKnownLost,
      });
    },

    /** They show the size of the fleet and its failures, so they are for viewers; the probes above are for anybody. */
    async metrics({ request, response }: Pick<Exchange, 'request' | 'response'>): Promise<void> {
      await gatekeeper.admit(clientAddress(request), request.headers.authorization);
      const text = await metrics.registry.metrics();
      response.writeHead(200, { 'Content-Type': metrics.registry.contentType }).end(text);
    },
  };

  /** Only the kinds: how many files are missing is not public. */
  async function kindsLost(): Promise<string[]> {
    try {
      lastKnownLost = (await countLost()).flatMap(([kind, count]) => (count > 0 ? [kind] : []));
    } catch (error) {
      log.warn({ err: error }, 'the missing files of the storage could not be counted');
    }
    return lastKnownLost;
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
