import { badInput } from '../../errors.js';
import type { FirmwareFilter } from '../../firmware/types.js';
import { builder } from './builder.js';
import { checkedFilter } from './inputs.js';
import { OrderDirection } from './order.js';

export const FirmwareFilterInput = builder.inputType('FirmwareFilter', {
  description:
    'Conditions for firmware builds. All that are given must hold. A list means "one of", an empty list matches nothing. ' +
    'A field that is left out or null does not filter.',
  fields: (t) => ({
    modelCode: t.stringList({ description: 'Codes of device models.' }),
    version: t.stringList({ description: 'Exact versions, for example `1.4.2`.' }),
    chip: t.stringList({ description: 'For example `esp32c3`. Builds of an unknown chip do not match.' }),
    elfSha256: t.stringList({
      description:
        'SHA-256 of the ELF, or its first digits, at least 8: hexadecimal, in upper or lower case. As in a dump or a log.',
    }),
    uploadedAfter: t.field({ type: 'DateTime', description: 'Time of the upload, inclusive.' }),
    uploadedBefore: t.field({ type: 'DateTime', description: 'Time of the upload, exclusive.' }),
    isLost: t.boolean({ description: 'Whether the storage has lost the ELF (`elfLostAt`).' }),
    search: t.string({
      description:
        'Words that must all occur, in upper or lower case, in version, chip, SHA-256, or code or name of the model. At most ' +
        '200 characters and 10 words.',
    }),
  }),
});

const PREFIX = /^[0-9a-f]{8,64}$/;

/** @throws DomainError BAD_USER_INPUT for a filter that is too large, and for a SHA-256 that is none */
export function toFirmwareFilter(
  input: typeof FirmwareFilterInput.$inferInput | null | undefined,
): FirmwareFilter {
  const { elfSha256, ...rest } = checkedFilter(input ?? {});
  if (elfSha256 === undefined) return rest;
  const prefixes = elfSha256.map((prefix) => prefix.toLowerCase());
  if (!prefixes.every((prefix) => PREFIX.test(prefix))) {
    throw badInput(
      'An "elfSha256" has 8 to 64 hexadecimal digits: the SHA-256 of the ELF, or its beginning.',
      {
        field: 'filter.elfSha256',
      },
    );
  }
  return { ...rest, elfSha256: prefixes };
}

const FirmwareOrderField = builder.enumType('FirmwareOrderField', {
  description: 'What firmware builds are ordered by. Values may be added.',
  values: {
    UPLOADED_AT: { description: 'The order of the uploads, also of builds with the same `uploadedAt`.' },
  },
});

export const FirmwareOrder = builder.inputType('FirmwareOrder', {
  description: 'Order of a list of firmware builds. Without it: the newest first.',
  fields: (t) => ({
    field: t.field({ type: FirmwareOrderField, required: true, description: 'What is compared.' }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'DESC when left out: the newest first.',
    }),
  }),
});
