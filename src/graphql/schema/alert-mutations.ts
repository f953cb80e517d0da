import { encodeGlobalId } from '../../global-ids.js';
import { AlertDelivery, AlertFormat, AlertRule } from './alert.js';
import { builder } from './builder.js';
import { present, requireId } from './inputs.js';

const NAME = 'For people: 1 to 200 characters on one line.';
const RULE_ID = 'Global id of the rule.';

builder.relayMutationField(
  'createAlertRule',
  {
    description:
      'Input of `createAlertRule`. At least one of `onNew`, `onRegression` and `spikeCount` must be set.',
    inputFields: (t) => ({
      name: t.string({ required: true, description: NAME }),
      url: t.string({
        required: true,
        description:
          'A webhook of Slack or Discord, or your own receiver: http:// or https://, at most 2,000 characters.',
      }),
      format: t.field({ type: AlertFormat, required: true, description: 'What the target understands.' }),
      onNew: t.boolean({ required: true, defaultValue: true, description: 'Alert for a new group.' }),
      onRegression: t.boolean({
        required: true,
        defaultValue: true,
        description: 'Alert for a resolved group that crashed again.',
      }),
      spikeCount: t.int({
        description:
          'Alert for this many crashes of one group within one clock hour; with `modelCode` only that model’s crashes ' +
          'count. At most one alert an hour.',
      }),
      modelCode: t.string({ description: 'Only crashes of this model.' }),
      crashGroupId: t.id({ description: 'Only this group.' }),
      enabled: t.boolean({
        required: true,
        defaultValue: true,
        description: 'False: it sends only test alerts until it is switched on.',
      }),
    }),
  },
  {
    description: 'Creates an alert rule. BAD_USER_INPUT when there are 100 rules already.',
    resolve: (_, { input }, { services }) =>
      services.alerts.create({
        name: input.name,
        url: input.url,
        format: input.format,
        onNew: input.onNew,
        onRegression: input.onRegression,
        spikeCount: input.spikeCount ?? null,
        modelCode: input.modelCode ?? null,
        groupId:
          input.crashGroupId == null ? null : requireId('CrashGroup', input.crashGroupId, 'crashGroupId'),
        enabled: input.enabled,
      }),
  },
  {
    description: 'Answer of `createAlertRule`.',
    outputFields: (t) => ({
      alertRule: t.field({ type: AlertRule, description: 'The new rule.', resolve: (rule) => rule }),
      secret: t.exposeString('secret', {
        description:
          'Key of `Coredock-Signature: t=SECONDS,v1=HEX`: HMAC-SHA-256 over `SECONDS.BODY`. Shown only here.',
      }),
    }),
  },
);

builder.relayMutationField(
  'updateAlertRule',
  {
    description:
      'Input of `updateAlertRule`. Fields that are left out keep their values; the secret never changes.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: RULE_ID }),
      name: t.string({ description: NAME }),
      url: t.string({
        description: 'The whole URL. Of the old one only `target` is ever shown.',
      }),
      format: t.field({ type: AlertFormat, description: 'What the target understands.' }),
      onNew: t.boolean({ description: 'Alert for a new group.' }),
      onRegression: t.boolean({ description: 'Alert for a resolved group that crashed again.' }),
      spikeCount: t.int({ description: 'Null: no alerts for spikes.' }),
      modelCode: t.string({ description: 'Null: crashes of every model.' }),
      crashGroupId: t.id({ description: 'Null: crashes of every group.' }),
      enabled: t.boolean({ description: 'False also discards what was not sent yet.' }),
    }),
  },
  {
    description: 'Changes an alert rule. Spikes of this hour that match only now are sent at once.',
    resolve: (_, { input }, { services }) => {
      const { id, spikeCount, modelCode, crashGroupId } = input;
      const { name, url, format, onNew, onRegression, enabled } = input;
      return services.alerts.update(requireId('AlertRule', id), {
        ...present({ name, url, format, onNew, onRegression, enabled }),
        // For these null differs from a field that is left out.
        ...(spikeCount === undefined ? {} : { spikeCount }),
        ...(modelCode === undefined ? {} : { modelCode }),
        ...(crashGroupId === undefined
          ? {}
          : {
              groupId: crashGroupId === null ? null : requireId('CrashGroup', crashGroupId, 'crashGroupId'),
            }),
      });
    },
  },
  {
    description: 'Answer of `updateAlertRule`.',
    outputFields: (t) => ({
      alertRule: t.field({
        type: AlertRule,
        description: 'The rule after the change.',
        resolve: (rule) => rule,
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteAlertRule',
  {
    description: 'Input of `deleteAlertRule`.',
    inputFields: (t) => ({ id: t.id({ required: true, description: RULE_ID }) }),
  },
  {
    description: 'Deletes a rule with the log of its deliveries. What was not sent yet is discarded.',
    resolve: async (_, { input: { id } }, { services }) => {
      const ruleId = requireId('AlertRule', id);
      await services.alerts.delete(ruleId);
      return { deletedAlertRuleId: encodeGlobalId('AlertRule', ruleId) };
    },
  },
  {
    description: 'Answer of `deleteAlertRule`.',
    outputFields: (t) => ({
      deletedAlertRuleId: t.exposeID('deletedAlertRuleId', { description: 'The id of the deleted rule.' }),
    }),
  },
);

builder.relayMutationField(
  'testAlertRule',
  {
    description: 'Input of `testAlertRule`.',
    inputFields: (t) => ({ id: t.id({ required: true, description: RULE_ID }) }),
  },
  {
    description:
      'Sends one test alert in the background, also for a rule that is switched off. The delivery shows the result.',
    resolve: (_, { input: { id } }, { services }) => services.alerts.test(requireId('AlertRule', id)),
  },
  {
    description: 'Answer of `testAlertRule`.',
    outputFields: (t) => ({
      alertDelivery: t.field({
        type: AlertDelivery,
        description: 'The delivery of the test; ask for it again by its id until its status is final.',
        resolve: (delivery) => delivery,
      }),
    }),
  },
);
