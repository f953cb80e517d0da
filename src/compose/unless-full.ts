import { DomainError } from '../errors.js';
import { asDomainError } from '../platform/database/errors.js';
import type { Logger } from '../platform/logger.js';

/** A full disk must not prevent a start: stored data can still be read and deleted. The next start repeats the work. */
export async function unlessFull(log: Logger, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    const error = asDomainError(thrown);
    if (!(error instanceof DomainError) || error.code !== 'STORAGE_FULL') throw thrown;
    log.error(`${error.message}: started all the same, so that data can be read and deleted`);
  }
}
