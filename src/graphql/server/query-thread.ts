import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { type DocumentNode, type ExecutionResult, GraphQLError } from 'graphql';
import { Piscina } from 'piscina';
import { currentActor } from '../../auth/actor.js';
import { DomainError } from '../../errors.js';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import type { Metrics } from '../../platform/metrics.js';
import { QUERY_WORKER_FILE } from '../../platform/program-files.js';
import { QUERY_THREAD } from '../limits/bytes-in-flight.js';
import { type LongData, longData } from '../limits/long-data.js';
import type { Delivery } from './delivery.js';
import { type QueryOutcome, type QueryTask, type QueryThreadData, receiveRest } from './query-port.js';
import { writtenResult } from './result-text.js';
import { receivedError } from './sent-errors.js';

/** After this time without a query the thread ends, and its caches are freed. */
const IDLE_MS = 10 * 60 * 1000;
/**
 * Heap without answers in MB, and how often an answer's bytes may be in memory. The budget of answers keeps the use far
 * below this limit. V8 ends a thread that exceeds it, but ends the whole process when one long text does.
 */
const [OWN_HEAP_MB, COPIES] = [192, 3];
const YOUNG_HEAP_MB = 16;
const MB = 1024 * 1024;
/** Tasks in the thread; more wait in the main thread. */
const MAX_RUNNING = 1_000;
/** Several times what a thread needs to load its modules. */
const LOADING_GRACE_MS = 2_000;

interface AskedQuery {
  document: DocumentNode;
  operationName: string | null;
  variables: Readonly<Record<string, unknown>>;
  cost: number;
  delivery: Delivery;
}

export interface QueryThread {
  /** @returns its `data` may be a `longData`; an error UNAVAILABLE when the thread failed meanwhile */
  run(query: AskedQuery): Promise<ExecutionResult>;
  close(): Promise<void>;
}

/**
 * Runs queries in a separate thread, which starts with the first query and ends after some minutes without one. A
 * thread that fails is replaced: its queries fail, nothing else is affected.
 */
export function createQueryThread(
  data: QueryThreadData,
  {
    clock,
    metrics,
    log,
    file = QUERY_WORKER_FILE,
    maxHeapMb,
  }: {
    metrics: Pick<Metrics, 'graphqlRefusals' | 'slowReaders'>;
    clock: Pick<Clock, 'now'>;
    log: Logger;
    /** Exists only in the built program. */
    file?: string;
    maxHeapMb?: number | undefined;
  },
): QueryThread {
  const pool = new Piscina<QueryTask, QueryOutcome>({
    filename: pathToFileURL(file).href,
    workerData: data,
    minThreads: 0,
    maxThreads: 1,
    concurrentTasksPerWorker: MAX_RUNNING,
    idleTimeout: IDLE_MS,
    // Runs the event loop of the thread between tasks: it still sends pieces of answers.
    atomics: 'disabled',
    resourceLimits: {
      maxOldGenerationSizeMb:
        maxHeapMb ?? OWN_HEAP_MB + Math.ceil((COPIES * data.limits.maxBytesInFlight) / MB),
      maxYoungGenerationSizeMb: YOUNG_HEAP_MB,
    },
  });
  pool.on('error', (error: unknown) => log.error({ err: error }, 'the thread of queries broke'));
  // The bytes of a thread's answers are freed with it, whether or not another one is started.
  pool.on('workerDestroy', () => void Atomics.store(data.inFlight, QUERY_THREAD, 0));
  const running = new Set<Promise<unknown>>();

  return {
    async run({ document, delivery, ...query }) {
      const actor = currentActor();
      if (actor === null) throw new Error('a query outside of a request');
      const { person, address, requestId } = actor;
      const { port1: port, port2: theirs } = new MessageChannel();
      const rest = receiveRest(port, delivery, () => metrics.slowReaders.inc());
      let hasLeft = false;
      delivery.whenDone(() => {
        hasLeft = true;
      });
      const text = document.loc?.source.body ?? '';
      const at = clock.now();
      const task = { ...query, document: text, at, person, address, requestId, port: theirs };
      const outcome = await tracked(pool.run(task, { transferList: [theirs] })).catch((error: unknown) => {
        // With its reader the query lost its port, which cannot be sent to the thread any more.
        if (!hasLeft) log.error({ err: error }, 'the thread of queries broke');
        return null;
      });
      if (outcome === null) return hasLeft ? {} : { errors: [unavailable()] };
      if (outcome.refusedFor !== null) metrics.graphqlRefusals.inc({ limit: outcome.refusedFor });
      const errors = outcome.errors?.map((error) => receivedError(error, document)) ?? null;
      return resultOf(outcome, errors, rest);
    },

    async close() {
      // Node 20 aborts the process when a thread is ended while it loads its modules.
      await Promise.race([Promise.allSettled(running), sleep(LOADING_GRACE_MS, undefined, { ref: false })]);
      await pool.destroy();
    },
  };

  function tracked<Result>(work: Promise<Result>): Promise<Result> {
    running.add(work);
    const done = () => running.delete(work);
    work.then(done, done);
    return work;
  }
}

function unavailable(): GraphQLError {
  const originalError = new DomainError('UNAVAILABLE', 'Queries cannot be answered now; try again.');
  return new GraphQLError(originalError.message, { originalError });
}

/**
 * Most answers are short and without errors: their JSON goes to the client as the thread has written it. Errors are
 * masked here and can decide the status, so such an answer is parsed and written again.
 */
function resultOf(
  { data, isWhole }: QueryOutcome,
  errors: readonly GraphQLError[] | null,
  rest: LongData,
): ExecutionResult {
  if (errors !== null) return { errors, ...(data === null ? {} : { data: dataOf(data, isWhole, rest) }) };
  if (data === null) return {};
  if (!isWhole) return { data: longData(data, rest) };
  return writtenResult(`{"data":${data}}`);
}

function dataOf(data: string, isWhole: boolean, rest: LongData): Record<string, unknown> | null {
  return isWhole ? JSON.parse(data) : longData(data, rest);
}
