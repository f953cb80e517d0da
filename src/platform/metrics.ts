import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** All metrics of one server. Label values are a bounded set: never a device, a version or a path chosen by a user. */
export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    uploads: fromZero(
      new Counter({
        name: 'iot_upload_coredump_total',
        help: 'Core dump uploads by outcome: success or error',
        labelNames: ['status'] as const,
        registers,
      }),
      OUTCOMES,
    ),
    uploadErrors: new Counter({
      name: 'iot_upload_coredump_errors_total',
      help: 'Refused or failed core dump uploads by the code of the answer: RATE_LIMITED, BUSY, TOO_LARGE, …',
      labelNames: ['code'] as const,
      registers,
    }),
    uploadSeconds: new Histogram({
      name: 'iot_upload_coredump_duration_seconds',
      help: 'Duration from the first byte of the request to the answer, in seconds',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    bootReports: fromZero(
      new Counter({
        name: 'iot_boot_reports_total',
        help: 'Boot reports of devices by outcome: success or error',
        labelNames: ['status'] as const,
        registers,
      }),
      OUTCOMES,
    ),
    deviceRegistrations: fromZero(
      new Counter({
        name: 'iot_device_registrations_total',
        help: 'Devices that registered themselves, by outcome: registered, over_rate, too_many_pending',
        labelNames: ['outcome'] as const,
        registers,
      }),
      [{ outcome: 'registered' }, { outcome: 'over_rate' }, { outcome: 'too_many_pending' }],
    ),
    parses: fromZero(
      new Counter({
        name: 'coredump_parse_total',
        help: 'Parses that ended: success or error',
        labelNames: ['status'] as const,
        registers,
      }),
      OUTCOMES,
    ),
    parseErrors: new Counter({
      name: 'coredump_parse_errors_total',
      help: 'Parses that ended ERROR by kind: missing_firmware, lost_firmware, lost_coredump, unreadable, no_crash, failed, …',
      labelNames: ['kind'] as const,
      registers,
    }),
    parseSeconds: new Histogram({
      name: 'coredump_parse_duration_seconds',
      help: 'Duration of a parse in seconds, all attempts and pauses included',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    auditEvents: new Counter({
      name: 'coredock_audit_events_total',
      help: 'Changes and downloads by people and programs, by action',
      labelNames: ['action'] as const,
      registers,
    }),
    droppedConnections: new Counter({
      name: 'http_connections_dropped_total',
      help: 'Connections refused because MAX_CONNECTIONS were open',
      registers,
    }),
    slowReaders: new Counter({
      name: 'http_slow_readers_total',
      help: 'Connections closed because their answers were not read',
      registers,
    }),
    graphqlRefusals: new Counter({
      name: 'graphql_refusals_total',
      help: 'Requests over a limit, by limit: tokens, depth, aliases, cost, streams, operations, messages, …',
      labelNames: ['limit'] as const,
      registers,
    }),
    orphans: new Counter({
      name: 'coredump_orphans_total',
      help: 'Finished files without a row that were set aside',
      registers,
    }),
    /** A counter that is kept elsewhere. */
    counter(name: string, help: string, read: () => number) {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    },
    /** A gauge whose value is computed when metrics are read. */
    gauge(name: string, help: string, read: () => number | Promise<number>) {
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          this.set(await read());
        },
      });
    },
    /** Like `gauge`, with one value per value of a bounded label. */
    gaugeBy<Label extends string>(
      name: string,
      help: string,
      label: Label,
      read: () => Promise<Iterable<readonly [value: string, count: number]>>,
    ) {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers,
        async collect() {
          for (const [value, count] of await read())
            this.set({ [label]: value } as Record<Label, string>, count);
        },
      });
    },
  };
}

const OUTCOMES = [{ status: 'success' }, { status: 'error' }] as const;

/** Prometheus sees no increase from a series that was not there to one that is 1, so the first error would be missed. */
function fromZero<Label extends string>(
  counter: Counter<Label>,
  series: readonly Partial<Record<Label, string>>[],
): Counter<Label> {
  for (const labels of series) counter.inc(labels, 0);
  return counter;
}
