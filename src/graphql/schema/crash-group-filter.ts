import type { GroupState } from '../../crash-groups/types.js';
import { builder } from './builder.js';
import { CrashKind } from './crash-kind.js';
import { checkedFilter, requireId } from './inputs.js';

export const CrashGroupState = builder.enumType('CrashGroupState', {
  description: 'How far people have got with a crash group. Values may be added.',
  values: {
    OPEN: { description: 'Nobody has settled it yet, or it crashed again after it was resolved.' },
    RESOLVED: { description: 'It has a fix. A crash in the fixed version or a later one opens it again.' },
    IGNORED: { description: 'It is counted, but sends no alerts.' },
  } satisfies Record<GroupState, object>,
});

export const CrashGroupFilterInput = builder.inputType('CrashGroupFilter', {
  description:
    'Fields that are left out do not filter. A list means "one of"; an empty list matches nothing. Model, version and ' +
    'chip must match in one crash.',
  fields: (t) => ({
    id: t.idList({
      description: 'Global ids. The id of a merged group stands for the group that took it in.',
    }),
    state: t.field({ type: [CrashGroupState], description: 'States of triage.' }),
    kind: t.field({ type: [CrashKind], description: 'What happened, of the first crash.' }),
    reasonClass: t.stringList({
      description: 'Reasons without their addresses, in the exact words: `LoadProhibited`.',
    }),
    assignee: t.stringList({ description: 'Names of assignees, exactly.' }),
    isAssigned: t.boolean({ description: 'True: somebody is assigned; false: nobody is.' }),
    modelCode: t.stringList({ description: 'Codes of models that it was seen on.' }),
    firmwareVersion: t.stringList({ description: 'Versions that it was seen in, exactly.' }),
    firmwareId: t.idList({
      description:
        'Global ids of builds: a dump that is still stored was read with one of them. `firmwareVersion` also finds ' +
        'deleted dumps.',
    }),
    chip: t.stringList({ description: 'Chips that it was seen on: `esp32c3`.' }),
    deviceKey: t.stringList({ description: 'Keys of devices that it was seen on.' }),
    fingerprint: t.stringList({ description: 'Fingerprints of reports, exactly.' }),
    tag: t.idList({ description: 'Global ids of tags: groups that have one of them.' }),
    isRegression: t.boolean({ description: 'Whether it crashed again after it was resolved.' }),
    firstSeenAfter: t.field({ type: 'DateTime', description: 'The first crash came then or later.' }),
    firstSeenBefore: t.field({ type: 'DateTime', description: 'The first crash came before.' }),
    lastSeenAfter: t.field({ type: 'DateTime', description: 'The last crash came then or later.' }),
    lastSeenBefore: t.field({ type: 'DateTime', description: 'The last crash came before.' }),
    search: t.string({
      description:
        'All words must occur, in upper or lower case, in title, reason, culprit, assignee or note. At most 200 characters.',
    }),
  }),
});

/** The filter in the form of the service. @throws DomainError BAD_USER_INPUT; NOT_FOUND for ids of another type */
export function groupFilter(input: typeof CrashGroupFilterInput.$inferInput | null | undefined) {
  const { id, firmwareId, tag, ...rest } = checkedFilter(input ?? {});
  return {
    ...rest,
    ...(id === undefined ? {} : { id: id.map((each) => requireId('CrashGroup', each, 'filter.id')) }),
    ...(tag === undefined ? {} : { tagId: tag.map((each) => requireId('Tag', each, 'filter.tag')) }),
    ...(firmwareId === undefined
      ? {}
      : { firmwareId: firmwareId.map((each) => requireId('Firmware', each, 'filter.firmwareId')) }),
  };
}
