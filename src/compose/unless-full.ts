import { DomainError } from '../errors.js';
import { asDomainError } from '../platform/database/errors.js';
import type { Logger } from '../platform/logger.js';

/** A full disk stops no start: what is there can be read, and deleted. What the work left undone, the next start does. */
export async function unlessFull(log: Logger, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    const error = asDomainError(thrown);
    if (!(error instanceof DomainError) || error.code !== 'STORAGE_FULL') throw thrown;
    log.error(`${error.message}: started all the same, to read and to delete`);
  }
}
