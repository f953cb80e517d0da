import type { CoredumpFilter } from '../../coredumps/types.js';
import { PARSE_STATUSES } from '../../coredumps/types.js';
import { builder } from './builder.js';
import { checkedFilter } from './inputs.js';

export const ParseStatus = builder.enumType('ParseStatus', { values: PARSE_STATUSES });

export const CoredumpFilterInput = builder.inputType('CoredumpFilter', {
  description: 'What is left out does not matter; lists mean "one of".',
  fields: (t) => ({
    parseStatus: t.field({ type: [ParseStatus] }),
    chip: t.stringList({}),
    firmwareVersion: t.stringList({}),
    deviceKey: t.stringList({}),
    modelCode: t.stringList({}),
    fingerprint: t.stringList({ description: 'Of the report: dumps that crashed at the same place.' }),
    uploadedAfter: t.field({ type: 'DateTime', description: 'Inclusive.' }),
    uploadedBefore: t.field({ type: 'DateTime', description: 'Exclusive.' }),
    search: t.string({
      description:
        'Words that must all occur, whatever their case, in file name, chip, version, device or output.',
    }),
  }),
});

/** @throws DomainError BAD_USER_INPUT for a filter that is too large */
export function toCoredumpFilter(
  input: typeof CoredumpFilterInput.$inferInput | null | undefined,
): CoredumpFilter {
  return checkedFilter(input ?? {});
}
