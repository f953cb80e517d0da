import type { TagConditions, TagRuleRow } from '../../crash-groups/tag-rules.js';
import { checkedConditions } from '../../crash-groups/tag-service.js';
import type { TagRulePreview as PreviewRow } from '../../crash-groups/tag-work.js';
import {
  type TagColor as Color,
  colorOf,
  MAX_TAG_NAME,
  MAX_TAGS,
  TAG_COLORS,
  type TagRow,
} from '../../crash-groups/tags.js';
import { CRASH_KINDS } from '../../crashdump/index.js';
import { notFound } from '../../errors.js';
import { PREVIEW } from '../limits/field-costs.js';
import { builder } from './builder.js';
import type { Context } from './context.js';
import { CrashGroup } from './crash-group.js';
import { CrashKind } from './crash-kind.js';
import { DeviceModel } from './device-model.js';
import { rowIdOf } from './inputs.js';

export const TagColor = builder.enumType('TagColor', {
  description: 'How a tag is shown. Values may be added.',
  values: Object.fromEntries(
    TAG_COLORS.map((color) => [color, { description: `${color[0]}${color.slice(1).toLowerCase()}.` }]),
  ) as Record<Color, { description: string }>,
});

export const TAG_NAME = `1 to ${MAX_TAG_NAME} characters on one line; no two tags have the same, in upper or lower case.`;

export const Tag = builder.objectRef<TagRow>('Tag');
export const TagRule = builder.objectRef<TagRuleRow>('TagRule');

builder.node(Tag, {
  description: 'A label of crash groups, given by people and by rules.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.tags.byId.load(rowIdOf(id)),
  fields: (t) => ({
    name: t.exposeString('name', { description: TAG_NAME }),
    color: t.field({ type: TagColor, description: 'How it is shown.', resolve: colorOf }),
    groupCount: t.int({
      description: 'Crash groups that have it.',
      resolve: ({ id }, _, { loaders }) => loaders.tags.groupCount.load(id),
    }),
    rules: t.field({
      type: [TagRule],
      description: 'The rules that give it, the oldest first. One of them is enough.',
      resolve: ({ id }, _, { loaders }) => loaders.tags.rulesOf.load(id),
    }),
  }),
});

const PATTERN = 'At most 200 characters, where `*` stands for any characters; upper and lower case differ.';
const CONDITIONS = {
  kind: 'What happened.',
  function: `The culprit’s function, with its parameters or without: \`wifi_*\`. ${PATTERN}`,
  file: `The culprit’s source file without its folders: \`sensor.c\`. ${PATTERN}`,
  task: `The task that crashed: \`wifi*\`. ${PATTERN}`,
  reason: `The reason as in the report: \`assert failed: *\`. ${PATTERN}`,
  version: `The version that crashed: \`2.*\`. ${PATTERN}`,
};

builder.node(TagRule, {
  description:
    'Gives its tag to each crash group with a crash that meets all conditions which are not null. A tag that a person took ' +
    'away from a group is not given to it again.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.tags.ruleById.load(rowIdOf(id)),
  fields: (t) => ({
    tag: t.field({
      type: Tag,
      description: 'The tag that it gives.',
      resolve: async ({ tagId }, _, { loaders }) => {
        const tag = await loaders.tags.byId.load(tagId);
        if (tag === null) throw notFound('tag', tagId);
        return tag;
      },
    }),
    model: t.field({
      type: DeviceModel,
      nullable: true,
      description: 'The model of the device. Null: any, or it was deleted since.',
      resolve: ({ modelId }, _, { loaders }) =>
        modelId === null ? null : loaders.devices.modelById.load(modelId),
    }),
    kind: t.field({
      type: CrashKind,
      nullable: true,
      description: CONDITIONS.kind,
      resolve: ({ kind }) => CRASH_KINDS.find((known) => known === kind) ?? null,
    }),
    function: t.exposeString('function', { nullable: true, description: CONDITIONS.function }),
    file: t.exposeString('file', { nullable: true, description: CONDITIONS.file }),
    task: t.exposeString('task', { nullable: true, description: CONDITIONS.task }),
    reason: t.exposeString('reason', { nullable: true, description: CONDITIONS.reason }),
    version: t.exposeString('version', { nullable: true, description: CONDITIONS.version }),
  }),
});

builder.objectField(CrashGroup, 'tags', (t) =>
  t.field({
    type: [Tag],
    description: 'Its tags, by name.',
    resolve: ({ id }, _, { loaders }) => loaders.tags.ofGroup.load(id),
  }),
);

export const TagConditionsInput = builder.inputType('TagConditionsInput', {
  description:
    'What a crash must be like for a tag rule. Fields that are left out, null or empty do not count; one must.',
  fields: (t) => ({
    modelCode: t.string({ description: 'Code of the device’s model.' }),
    kind: t.field({ type: CrashKind, description: CONDITIONS.kind }),
    function: t.string({ description: CONDITIONS.function }),
    file: t.string({ description: CONDITIONS.file }),
    task: t.string({ description: CONDITIONS.task }),
    reason: t.string({ description: CONDITIONS.reason }),
    version: t.string({ description: CONDITIONS.version }),
  }),
});

/** The conditions in the form of the service. @throws DomainError NOT_FOUND (model) */
export async function conditionsOf(
  { modelCode, ...rule }: typeof TagConditionsInput.$inferInput,
  { services }: Pick<Context, 'services'>,
): Promise<TagConditions> {
  const model = modelCode == null ? null : await services.devices.getModel(modelCode);
  if (modelCode != null && model === null)
    throw notFound('device model', modelCode, { field: 'conditions.modelCode' });
  const { kind = null, file = null, task = null, reason = null, version = null } = rule;
  return { modelId: model?.id ?? null, kind, function: rule.function ?? null, file, task, reason, version };
}

const TagRulePreview = builder.objectRef<PreviewRow>('TagRulePreview').implement({
  description: 'What a tag rule would do.',
  fields: (t) => ({
    groupCount: t.exposeInt('groupCount', {
      description: 'Crash groups that meet its conditions, also those that have its tag already.',
    }),
    isComplete: t.exposeBoolean('isComplete', {
      description: 'False: there are so many groups that not all were looked at.',
    }),
    crashGroups: t.field({
      type: [CrashGroup],
      description: 'Some of them, at most 5.',
      resolve: async ({ groupIds }, _, { loaders }) => {
        const groups = await Promise.all(groupIds.map((id) => loaders.crashGroups.byId.load(id)));
        return groups.filter((group) => group !== null);
      },
    }),
  }),
});

builder.queryFields((t) => ({
  tags: t.field({
    type: [Tag],
    complexity: { field: 1, multiplier: MAX_TAGS },
    description: `All tags by name, at most ${MAX_TAGS}.`,
    resolve: (_, __, { services }) => services.tags.list(),
  }),
  previewTagRule: t.field({
    type: TagRulePreview,
    authScopes: { admin: true },
    complexity: PREVIEW,
    description: 'The crash groups that a tag rule with these conditions would match. Nothing is stored.',
    args: {
      conditions: t.arg({ type: TagConditionsInput, required: true, description: 'Its conditions.' }),
    },
    resolve: async (_, { conditions }, context) =>
      context.services.tags.previewRule(checkedConditions(await conditionsOf(conditions, context))),
  }),
}));
