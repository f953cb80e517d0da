import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { DomainError } from '../../../errors.js';

/** Pages in a row that may bring nothing new: S3 gives empty ones where much was deleted. */
const MAX_IDLE_PAGES = 100;

/** Another program answers in the place of S3: trusting it would lose what it was given. */
export function notS3(what: string): DomainError {
  return new DomainError('UNAVAILABLE', 'The storage is not available now; try again.', {
    cause: new Error(`the server does not answer as S3 does: ${what}`),
  });
}

/**
 * Sees that the pages of a list come to an end: no place to go on from comes twice, and pages bring something new.
 *
 * @throws DomainError UNAVAILABLE from `after`
 */
export function createListProgress(prefix: string) {
  const seen = new Set<string>();
  let lastKey: string | undefined;
  let idlePages = 0;

  return {
    /** @returns where the next page begins; undefined after the last one */
    after(page: ListObjectsV2CommandOutput): string | undefined {
      const { Contents = [], KeyCount, Name, IsTruncated, NextContinuationToken: next } = page;
      if (Name === undefined && KeyCount === undefined && Contents.length === 0) {
        throw notS3('its list of objects is no list');
      }
      if (Contents.some(({ Key }) => Key?.startsWith(prefix) !== true)) {
        throw notS3('its list has objects that were not asked for');
      }
      if (IsTruncated !== true) return undefined;
      if (next === undefined) throw notS3('its list goes on and does not say where');
      if (seen.has(next)) throw notS3('its list goes round in a circle');
      seen.add(next);

      const key = Contents.at(-1)?.Key;
      idlePages = key === undefined || key === lastKey ? idlePages + 1 : 0;
      lastKey = key ?? lastKey;
      if (idlePages > MAX_IDLE_PAGES) throw notS3('its list goes on and brings nothing');
      return next;
    },
  };
}
