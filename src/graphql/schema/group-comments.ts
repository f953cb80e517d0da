import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { GroupActivity } from './group-activity.js';
import { requireId } from './inputs.js';

const TEXT = 'Plain text, 1 to 4,000 characters; line breaks are kept.';

/** Comments are for everybody who may read: mutations are for admins otherwise. */
const FOR_READERS = { skipTypeScopes: true, authScopes: { viewer: true } } as const;

builder.relayMutationField(
  'addGroupComment',
  {
    inputFields: (t) => ({
      groupId: t.id({
        required: true,
        description: 'Global id of the group. That of a merged group stands for the group that took it in.',
      }),
      text: t.string({ required: true, description: TEXT }),
    }),
  },
  {
    ...FOR_READERS,
    description: 'Says something about a group. For viewers and admins.',
    resolve: (_, { input: { groupId, text } }, { services, person }) =>
      services.crashGroups.comments.add(requireId('CrashGroup', groupId, 'groupId'), text, person),
  },
  {
    outputFields: (t) => ({
      comment: t.field({
        type: GroupActivity,
        description: 'The comment.',
        resolve: ({ comment }) => comment,
      }),
      crashGroup: t.field({
        type: CrashGroup,
        description: 'The group after the change.',
        resolve: ({ group }) => group,
      }),
    }),
  },
);

builder.relayMutationField(
  'editGroupComment',
  {
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'Global id of the comment.' }),
      text: t.string({ required: true, description: TEXT }),
    }),
  },
  {
    ...FOR_READERS,
    description: 'Replaces the text of a comment. Only its author may do it; FORBIDDEN for others.',
    resolve: (_, { input: { id, text } }, { services, person }) =>
      services.crashGroups.comments.edit(requireId('GroupActivity', id), text, person),
  },
  {
    outputFields: (t) => ({
      comment: t.field({
        type: GroupActivity,
        description: 'The comment after the change.',
        resolve: ({ comment }) => comment,
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteGroupComment',
  {
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'Global id of the comment.' }),
    }),
  },
  {
    ...FOR_READERS,
    description: 'Deletes a comment. Its author and admins may do it; FORBIDDEN for others.',
    resolve: (_, { input: { id } }, { services, person }) =>
      services.crashGroups.comments.delete(requireId('GroupActivity', id), person),
  },
  {
    outputFields: (t) => ({
      deletedGroupActivityId: t.id({
        description: 'Global id that the comment had.',
        resolve: ({ id }) => encodeGlobalId('GroupActivity', id),
      }),
      crashGroup: t.field({
        type: CrashGroup,
        description: 'The group after the change.',
        resolve: ({ group }) => group,
      }),
    }),
  },
);
