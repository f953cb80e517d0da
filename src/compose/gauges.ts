import type { Config } from '../config/settings.js';
import { registerStorageGauges } from '../coredumps/storage-metrics.js';
import { WAITING_KINDS } from '../coredumps/types.js';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database/types.js';
import type { Metrics } from '../platform/metrics.js';
import type { AllServices } from './create-services.js';

/** Registers gauges that ask the services when metrics are read. */
export function registerGauges({
  config,
  database,
  services,
  sidecarRestarts,
  metrics,
  clock,
}: {
  config: Config;
  database: Database;
  services: AllServices;
  sidecarRestarts: () => number;
  metrics: Metrics;
  clock: Clock;
}) {
  const { coredumps, events, firmwares, lostDumps, state, storageLimit } = services;
  const { parser } = config;
  metrics.gauge('coredump_parse_queue_depth', 'Dumps that are PENDING: waiting or being parsed', () =>
    parser === null ? 0 : state.depth(),
  );
  metrics.counter(
    'coredock_sidecar_restarts_total',
    'How often the bundled parse sidecar ended and was started again',
    sidecarRestarts,
  );
  metrics.gauge('coredump_event_subscribers', 'Subscriptions to parse status', events.subscriberCount);
  metrics.gaugeBy('coredumps', 'Stored dumps by parse status', 'status', coredumps.countByStatus);
  metrics.gauge(
    'coredumps_waiting_for_build',
    'Stored dumps that ended ERROR because their build, or its ELF, is missing',
    () => coredumps.count({ parseErrorKind: [...WAITING_KINDS], hasRaw: true }),
  );
  const countMissing = async () =>
    [
      ['coredump', await lostDumps.count()],
      ['firmware', await firmwares.countLostElfs()],
    ] as const;
  metrics.gaugeBy('coredock_storage_lost', 'Rows whose file is missing in the storage', 'kind', countMissing);
  const sampleStorage = registerStorageGauges({
    metrics,
    limit: storageLimit,
    maxBytes: config.maxStorageBytes,
    disks: {
      dumps: config.coredumpsDir,
      firmware: config.assetsDir,
      ...(database.disk === null ? {} : { database: database.disk }),
      ...(parser === null ? {} : { transfer: parser.xferDir }),
    },
    dumpsDir: config.s3 === null ? config.coredumpsDir : null,
    now: clock.now,
  });
  return { countMissing, sampleStorage };
}
