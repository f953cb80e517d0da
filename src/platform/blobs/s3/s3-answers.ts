import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { DomainError } from '../../../errors.js';

/** Consecutive pages without new objects that are accepted: S3 returns empty ones after many deletions. */
const MAX_IDLE_PAGES = 100;

/** The error when another program answers instead of S3: bytes sent to it would be lost. */
export function notS3(what: string): DomainError {
  return new DomainError('UNAVAILABLE', 'The storage is not available now; try again.', {
    cause: new Error(`the server does not answer as S3 does: ${what}`),
  });
}

/**
 * Checks that the pages of a list end: no continuation token comes twice, and pages contain new objects.
 *
 * @throws DomainError UNAVAILABLE from `after`
 */
export function createListProgress(prefix: string) {
  const seen = new Set<string>();
  let lastKey: string | undefined;
  let idlePages = 0;

  return {
    /** @returns the token of the next page; undefined after the last one */
    after(page: ListObjectsV2CommandOutput): string | undefined {
      const { Contents = [], KeyCount, Name, IsTruncated, NextContinuationToken: next } = page;
      if (Name === undefined && KeyCount === undefined && Contents.length === 0) {
        throw notS3('its list of objects is not a list');
      }
      if (Contents.some(({ Key }) => Key?.startsWith(prefix) !== true)) {
        throw notS3('its list has objects that were not requested');
      }
      if (IsTruncated !== true) return undefined;
      if (next === undefined) throw notS3('its list continues without a continuation token');
      if (seen.has(next)) throw notS3('its list repeats a continuation token');
      seen.add(next);

      const key = Contents.at(-1)?.Key;
      idlePages = key === undefined || key === lastKey ? idlePages + 1 : 0;
      lastKey = key ?? lastKey;
      if (idlePages > MAX_IDLE_PAGES) throw notS3('its list continues without new objects');
      return next;
    },
  };
}
