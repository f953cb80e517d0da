import type { PlannedChange } from '../../crash-groups/own-code-plan.js';
import type { OwnCodePreview as PreviewRow } from '../../crash-groups/own-code-preview.js';
import type { Regrouping } from '../../crash-groups/regroup-job.js';
import type { OwnCodeRule as RuleRow } from '../../crashdump/index.js';
import { checkedRules, MAX_RULES } from '../../devices/own-code.js';
import { notFound } from '../../errors.js';
import { PREVIEW } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { Coredump } from './coredump.js';
import { CrashGroup } from './crash-group.js';
import { DeviceModel } from './device-model.js';

const OwnCodeRuleKind = builder.enumType('OwnCodeRuleKind', {
  description: 'What a rule about own code looks at. Values may be added.',
  values: {
    PATH: {
      description:
        'The file of a frame: the pattern is a folder or file, wherever it is in the path. `components/vendor` matches ' +
        '`/builds/x/components/vendor/a.c` and `components/vendor/a.c`, not `components/vendor2/a.c`. One that begins with ' +
        '`/` or a drive matches at the beginning only.',
    },
    FUNCTION: {
      description:
        'The function of a frame, with its parameters or without. `*` stands for any characters: `vendor_*`, `Vendor::*`.',
    },
  } satisfies Record<RuleRow['kind'], object>,
});

const PATTERN = '1 to 200 characters: `components/vendor`, `vendor_*`. Upper and lower case differ.';
const IS_OWN = 'True: the frame is own code; false: it is not.';

const OwnCodeRule = builder.objectRef<RuleRow>('OwnCodeRule').implement({
  description: 'Says of some frames of a model’s crashes whether they are own code.',
  fields: (t) => ({
    kind: t.expose('kind', { type: OwnCodeRuleKind, description: 'What it looks at.' }),
    pattern: t.exposeString('pattern', { description: PATTERN }),
    isOwn: t.exposeBoolean('isOwn', { description: IS_OWN }),
  }),
});

const OwnCodeRuleInput = builder.inputType('OwnCodeRuleInput', {
  description: 'A rule about own code.',
  fields: (t) => ({
    kind: t.field({ type: OwnCodeRuleKind, required: true, description: 'What it looks at.' }),
    pattern: t.string({ required: true, description: PATTERN }),
    isOwn: t.boolean({ required: true, description: IS_OWN }),
  }),
});

const OwnCodeRegrouping = builder.objectRef<Regrouping>('OwnCodeRegrouping').implement({
  description: 'How far changed rules about own code have been applied to the stored dumps of their model.',
  fields: (t) => ({
    total: t.exposeInt('total', { description: 'Number of dumps at its start.' }),
    done: t.exposeInt('done', { description: 'Number of dumps that are done.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When the rules were changed.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the last dump was done; null while it runs.',
    }),
  }),
});

builder.objectFields(DeviceModel, (t) => ({
  ownCodeRules: t.field({
    type: [OwnCodeRule],
    description: `Which code is own, at most ${MAX_RULES} rules: the first that matches a frame decides; without one the reader does.`,
    resolve: ({ id }, _, { loaders }) => loaders.devices.ownCodeOfModel.load(id),
  }),
  ownCodeRegrouping: t.field({
    type: OwnCodeRegrouping,
    nullable: true,
    description: 'The progress of their last change; null when they were never changed.',
    resolve: ({ id }, _, { loaders }) => loaders.crashGroups.ownCodeRun.load(id),
  }),
}));

const OwnCodeChangeKind = builder.enumType('OwnCodeChangeKind', {
  description: 'What becomes of crashes whose place changes. Values may be added.',
  values: {
    RENAMED: { description: 'Their group goes on at the new place, with what people set in it.' },
    JOINED: { description: 'They join another group, which is at that place already.' },
    SPLIT: {
      description: 'They leave their group for a new one, which begins with what people set in theirs.',
    },
  } satisfies Record<PlannedChange['kind'], object>,
});

const OwnCodeChange = builder.objectRef<PlannedChange>('OwnCodeChange').implement({
  description: 'What changed rules about own code would do to crashes of one group.',
  fields: (t) => ({
    kind: t.expose('kind', { type: OwnCodeChangeKind, description: 'What becomes of them.' }),
    count: t.exposeInt('count', { description: 'Crashes, of those that were looked at.' }),
    titleBefore: t.exposeString('titleBefore', {
      description: 'What they are called now: what happened, and where.',
    }),
    titleAfter: t.exposeString('titleAfter', { description: 'What they would be called.' }),
    crashGroup: t.field({
      type: CrashGroup,
      nullable: true,
      description: 'The group that they are in. Null: it was deleted meanwhile.',
      resolve: ({ groupId }, _, { loaders }) => loaders.crashGroups.byId.load(groupId),
    }),
    intoCrashGroup: t.field({
      type: CrashGroup,
      nullable: true,
      description: 'The group that they would join; null for the other kinds.',
      resolve: ({ intoGroupId }, _, { loaders }) =>
        intoGroupId === null ? null : loaders.crashGroups.byId.load(intoGroupId),
    }),
    coredump: t.field({
      type: Coredump,
      nullable: true,
      description: 'One of the crashes. Null: it was deleted meanwhile.',
      resolve: ({ coredumpId }, _, { loaders }) => loaders.coredumps.byId.load(coredumpId),
    }),
  }),
});

const SHOWN_CHANGES = 50;

const OwnCodePreview = builder.objectRef<PreviewRow>('OwnCodePreview').implement({
  description: 'What rules about own code would change, by the newest stored crashes of a model.',
  fields: (t) => ({
    lookedAtCount: t.exposeInt('lookedAtCount', {
      description: 'Crashes that were looked at: the newest 2,000, or as many as a few seconds allow.',
    }),
    isComplete: t.exposeBoolean('isComplete', {
      description: 'Whether these are all stored crashes of the model.',
    }),
    changedCount: t.exposeInt('changedCount', { description: 'Crashes that would get another place.' }),
    changedGroupCount: t.int({
      description: 'Groups that they are in.',
      resolve: ({ changes }) => new Set(changes.map(({ groupId }) => groupId)).size,
    }),
    changes: t.field({
      type: [OwnCodeChange],
      description: `What becomes of them, the most crashes first: at most ${SHOWN_CHANGES}.`,
      resolve: ({ changes }) => changes.slice(0, SHOWN_CHANGES),
    }),
  }),
});

builder.queryField('previewOwnCodeRules', (t) =>
  t.field({
    type: OwnCodePreview,
    authScopes: { admin: true },
    complexity: PREVIEW,
    description: 'What these rules about own code would change in a model’s crashes. Nothing is stored.',
    args: {
      modelCode: t.arg.string({ required: true, description: 'Code of the model.' }),
      rules: t.arg({
        type: [OwnCodeRuleInput],
        required: true,
        description: `In their order, at most ${MAX_RULES}.`,
      }),
    },
    resolve: async (_, { modelCode, rules }, { services }) => {
      const wanted = checkedRules(rules);
      const model = await services.devices.getModel(modelCode);
      if (model === null) throw notFound('device model', modelCode, { field: 'modelCode' });
      return services.crashGroups.previewOwnCode(model.id, wanted);
    },
  }),
);

builder.relayMutationField(
  'setOwnCodeRules',
  {
    description: 'Input of `setOwnCodeRules`.',
    inputFields: (t) => ({
      modelCode: t.string({ required: true, description: 'Code of the model.' }),
      rules: t.field({
        type: [OwnCodeRuleInput],
        required: true,
        description: `All rules in their order, at most ${MAX_RULES}; an empty list removes them.`,
      }),
    }),
  },
  {
    description:
      'Replaces the rules that say which code is a model’s own. Culprits, titles and groups of new dumps follow at once, ' +
      'those of stored dumps in the background: `DeviceModel.ownCodeRegrouping`.',
    resolve: (_, { input: { modelCode, rules } }, { services }) => services.ownCode.set(modelCode, rules),
  },
  {
    description: 'Answer of `setOwnCodeRules`.',
    outputFields: (t) => ({
      deviceModel: t.field({
        type: DeviceModel,
        description: 'The model after the change.',
        resolve: (model) => model,
      }),
    }),
  },
);
