import { DomainError } from '../errors.js';
import type { Metrics } from '../platform/metrics.js';
import type { StreamedExchange } from './exchange.js';
import { refuseStreamed } from './refuse-streamed.js';
import type { StoredCrash } from './store-crash.js';
import { sendStored } from './stored-answer.js';
import type { UploadLimits } from './upload-limits.js';

export interface AnswerUploadDeps {
  metrics: Metrics;
  limits: Pick<UploadLimits, 'enter'>;
}

/**
 * What all routes have in common that store the crash of a device: its place among those in flight, its time and count, the
 * answer or refusal, and the line of the log.
 * @param noun what is stored, for the log: "core dump"
 * @param receive its signal is aborted when the sender has disconnected
 */
export async function answerUpload(
  exchange: StreamedExchange,
  noun: string,
  { metrics, limits }: AnswerUploadDeps,
  receive: (gone: AbortSignal) => Promise<StoredCrash>,
): Promise<void> {
  const { response, log } = exchange;
  const end = metrics.uploadSeconds.startTimer();
  const gone = new AbortController();
  response.once('close', () => gone.abort(new DomainError('BODY_ABORTED', 'The sender has disconnected.')));
  let endUpload = () => {};
  try {
    endUpload = limits.enter();
    const stored = await receive(gone.signal);
    sendStored(response, stored);
    metrics.uploads.inc({ status: 'success' });
    const { coredump, device, isNewDevice, isDuplicate } = stored;
    log.info(
      { device: device.key, isNewDevice, filename: coredump.filename, size: coredump.size, isDuplicate },
      `${noun} stored`,
    );
  } catch (error) {
    const code = refuseStreamed(exchange, error);
    metrics.uploads.inc({ status: 'error' });
    metrics.uploadErrors.inc({ code });
    log.warn({ code, reason: error instanceof DomainError ? error.message : undefined }, `${noun} refused`);
  } finally {
    endUpload();
    end();
  }
}
