import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { present, requireId } from './inputs.js';
import { conditionsOf, TAG_NAME, Tag, TagColor, TagConditionsInput, TagRule } from './tag.js';

builder.relayMutationField(
  'createTag',
  {
    inputFields: (t) => ({
      name: t.string({ required: true, description: TAG_NAME }),
      color: t.field({
        type: TagColor,
        required: true,
        defaultValue: 'GRAY',
        description: 'How it is shown; gray when left out.',
      }),
    }),
  },
  {
    description:
      'Creates a tag. CONFLICT when there is one of this name; BAD_USER_INPUT when there are 200 already.',
    resolve: (_, { input: { name, color } }, { services }) => services.tags.create({ name, color }),
  },
  {
    outputFields: (t) => ({
      tag: t.field({ type: Tag, description: 'The new tag.', resolve: (tag) => tag }),
    }),
  },
);

builder.relayMutationField(
  'updateTag',
  {
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'Global id of the tag.' }),
      name: t.string({ description: TAG_NAME }),
      color: t.field({ type: TagColor, description: 'How it is shown.' }),
    }),
  },
  {
    description: 'Renames a tag, or shows it in another color. Fields that are left out keep their values.',
    resolve: (_, { input: { id, name, color } }, { services }) =>
      services.tags.update(requireId('Tag', id), present({ name, color })),
  },
  {
    outputFields: (t) => ({
      tag: t.field({ type: Tag, description: 'The tag after the change.', resolve: (tag) => tag }),
    }),
  },
);

builder.relayMutationField(
  'deleteTag',
  { inputFields: (t) => ({ id: t.id({ required: true, description: 'Global id of the tag.' }) }) },
  {
    description: 'Deletes a tag: no group has it any more, and its rules are gone.',
    resolve: async (_, { input: { id } }, { services }) => {
      const tagId = requireId('Tag', id);
      await services.tags.delete(tagId);
      return { deletedTagId: encodeGlobalId('Tag', tagId) };
    },
  },
  {
    outputFields: (t) => ({
      deletedTagId: t.exposeID('deletedTagId', { description: 'The id of the deleted tag.' }),
    }),
  },
);

builder.relayMutationField(
  'setGroupTags',
  {
    inputFields: (t) => ({
      groupIds: t.idList({
        required: true,
        description:
          'Global ids of crash groups, 1 to 100. That of a merged group stands for the group that took it in.',
      }),
      add: t.idList({
        required: true,
        defaultValue: [],
        description: 'Global ids of tags to add, at most 100.',
      }),
      remove: t.idList({
        required: true,
        defaultValue: [],
        description:
          'Global ids of tags to take away, at most 100. No rule gives them to these groups again.',
      }),
    }),
  },
  {
    description: 'Adds tags to crash groups and takes others away: in all of the groups or in none.',
    resolve: (_, { input: { groupIds, add, remove } }, { services }) =>
      services.tags.setOnGroups({
        groupIds: groupIds.map((id) => requireId('CrashGroup', id, 'groupIds')),
        add: add.map((id) => requireId('Tag', id, 'add')),
        remove: remove.map((id) => requireId('Tag', id, 'remove')),
      }),
  },
  {
    outputFields: (t) => ({
      crashGroups: t.field({
        type: [CrashGroup],
        description: 'The groups after the change, in the order of `groupIds`, each once.',
        resolve: (groups) => groups,
      }),
    }),
  },
);

const CONDITIONS = { required: true, description: 'What a crash must be like: all of them.' } as const;

builder.relayMutationField(
  'createTagRule',
  {
    inputFields: (t) => ({
      tagId: t.id({ required: true, description: 'Global id of the tag that it gives.' }),
      conditions: t.field({ type: TagConditionsInput, ...CONDITIONS }),
    }),
  },
  {
    description:
      'Creates a rule that gives a tag. New crashes are compared at once, the groups that there are in the background. ' +
      'BAD_USER_INPUT when there are 200 rules already.',
    resolve: async (_, { input: { tagId, conditions } }, context) =>
      context.services.tags.createRule(
        requireId('Tag', tagId, 'tagId'),
        await conditionsOf(conditions, context),
      ),
  },
  {
    outputFields: (t) => ({
      tagRule: t.field({ type: TagRule, description: 'The new rule.', resolve: (rule) => rule }),
    }),
  },
);

builder.relayMutationField(
  'updateTagRule',
  {
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'Global id of the rule.' }),
      conditions: t.field({ type: TagConditionsInput, ...CONDITIONS }),
    }),
  },
  {
    description: 'Replaces the conditions of a tag rule. Groups that have its tag keep it.',
    resolve: async (_, { input: { id, conditions } }, context) =>
      context.services.tags.updateRule(requireId('TagRule', id), await conditionsOf(conditions, context)),
  },
  {
    outputFields: (t) => ({
      tagRule: t.field({ type: TagRule, description: 'The rule after the change.', resolve: (rule) => rule }),
    }),
  },
);

builder.relayMutationField(
  'deleteTagRule',
  { inputFields: (t) => ({ id: t.id({ required: true, description: 'Global id of the rule.' }) }) },
  {
    description: 'Deletes a tag rule. Groups that have its tag keep it.',
    resolve: async (_, { input: { id } }, { services }) => {
      const ruleId = requireId('TagRule', id);
      await services.tags.deleteRule(ruleId);
      return { deletedTagRuleId: encodeGlobalId('TagRule', ruleId) };
    },
  },
  {
    outputFields: (t) => ({
      deletedTagRuleId: t.exposeID('deletedTagRuleId', { description: 'The id of the deleted rule.' }),
    }),
  },
);
