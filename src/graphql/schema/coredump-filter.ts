import type { CoredumpFilter } from '../../coredumps/types.js';
import { PARSE_STATUSES } from '../../coredumps/types.js';
import { builder } from './builder.js';
import { checkedFilter } from './inputs.js';

export const ParseStatus = builder.enumType('ParseStatus', { values: PARSE_STATUSES });

export const CoredumpFilterInput = builder.inputType('CoredumpFilter', {
  description: 'Fields that are left out do not filter. A list means "one of".',
  fields: (t) => ({
    parseStatus: t.field({ type: [ParseStatus] }),
    chip: t.stringList({}),
    firmwareVersion: t.stringList({}),
    deviceKey: t.stringList({}),
    modelCode: t.stringList({}),
    fingerprint: t.stringList({
      description: 'Of the report. Dumps with the same one crashed at the same place.',
    }),
    uploadedAfter: t.field({ type: 'DateTime', description: 'Inclusive.' }),
    uploadedBefore: t.field({ type: 'DateTime', description: 'Exclusive.' }),
    search: t.string({
      description:
        'All words must occur, in upper or lower case, in file name, chip, version, device or output.',
    }),
  }),
});

/** @throws DomainError BAD_USER_INPUT for a filter that is too large */
export function toCoredumpFilter(
  input: typeof CoredumpFilterInput.$inferInput | null | undefined,
): CoredumpFilter {
  return checkedFilter(input ?? {});
}
