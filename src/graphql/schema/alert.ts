import { ALERT_EVENTS, ALERT_FORMATS } from '../../alerts/formats.js';
import { type AlertDeliveryRow, type AlertRuleRow, MAX_RULES } from '../../alerts/service.js';
import { encodeGlobalId } from '../../global-ids.js';
import { firstCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { DeviceModel } from './device-model.js';
import { present, requireId } from './inputs.js';

const AlertFormat = builder.enumType('AlertFormat', { values: ALERT_FORMATS });
const AlertEvent = builder.enumType('AlertEvent', { values: ALERT_EVENTS });
const AlertDeliveryStatus = builder.enumType('AlertDeliveryStatus', {
  values: ['PENDING', 'DELIVERED', 'FAILED'] as const,
});

const AlertRule = builder.objectRef<AlertRuleRow>('AlertRule').implement({
  description: 'Where alerts are sent, and for which crashes.',
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => encodeGlobalId('AlertRule', id) }),
    name: t.exposeString('name'),
    target: t.string({
      description: 'Scheme and host of the URL. The rest may be a secret and is not shown.',
      resolve: ({ url }) => new URL(url).origin,
    }),
    format: t.field({
      type: AlertFormat,
      resolve: ({ format }) => ALERT_FORMATS.find((known) => known === format) ?? 'GENERIC',
    }),
    onNew: t.exposeBoolean('onNew'),
    onRegression: t.exposeBoolean('onRegression'),
    spikeCount: t.exposeInt('spikeCount', {
      nullable: true,
      description: 'This many crashes of one group within one clock hour are a spike.',
    }),
    model: t.field({
      type: DeviceModel,
      nullable: true,
      description: 'Only crashes of this model.',
      resolve: ({ modelId }, _, { loaders }) =>
        modelId === null ? null : loaders.devices.modelById.load(modelId),
    }),
    crashGroup: t.field({
      type: CrashGroup,
      nullable: true,
      description: 'Only this group.',
      resolve: ({ groupId }, _, { loaders }) =>
        groupId === null ? null : loaders.crashGroups.byId.load(groupId),
    }),
    enabled: t.exposeBoolean('enabled', { description: 'False: it sends only test alerts.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const AlertDelivery = builder.objectRef<AlertDeliveryRow>('AlertDelivery').implement({
  description: 'One alert and the state of its delivery. Kept for 30 days.',
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => encodeGlobalId('AlertDelivery', id) }),
    event: t.field({
      type: AlertEvent,
      resolve: ({ event }) => ALERT_EVENTS.find((known) => known === event) ?? 'TEST',
    }),
    status: t.field({
      type: AlertDeliveryStatus,
      resolve: ({ status }) =>
        status === 'DELIVERED' ? 'DELIVERED' : status === 'FAILED' ? 'FAILED' : 'PENDING',
    }),
    attempts: t.exposeInt('attempts'),
    httpStatus: t.exposeInt('httpStatus', { nullable: true, description: 'Of the last attempt.' }),
    error: t.exposeString('error', { nullable: true, description: 'Of the last attempt.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    deliveredAt: t.expose('deliveredAt', { type: 'DateTime', nullable: true }),
  }),
});

builder.queryFields((t) => ({
  alertRules: t.field({
    type: [AlertRule],
    description: 'Newest first.',
    complexity: { field: 1, multiplier: MAX_RULES },
    resolve: (_, __, { services }) => services.alerts.list(),
  }),
  alertDeliveries: t.field({
    type: [AlertDelivery],
    complexity: firstCost,
    description: 'The log of deliveries, newest first, of one rule or of all.',
    args: { ruleId: t.arg.id(), first: t.arg.int({ defaultValue: 20, description: '100 at most.' }) },
    resolve: (_, { ruleId, first }, { services }) =>
      services.alerts.deliveries(
        ruleId == null ? null : requireId('AlertRule', ruleId, 'ruleId'),
        first ?? 20,
      ),
  }),
}));

builder.relayMutationField(
  'createAlertRule',
  {
    inputFields: (t) => ({
      name: t.string({ required: true }),
      url: t.string({ required: true, description: 'A webhook of Slack or Discord, or your own receiver.' }),
      format: t.field({ type: AlertFormat, required: true }),
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
      enabled: t.boolean({ required: true, defaultValue: true }),
    }),
  },
  {
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
    outputFields: (t) => ({
      alertRule: t.field({ type: AlertRule, resolve: (rule) => rule }),
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
    description: 'Fields that are left out keep their values. The secret never changes.',
    inputFields: (t) => ({
      id: t.id({ required: true }),
      name: t.string({}),
      url: t.string({
        description: 'The whole URL. Of the old one only `target` is ever shown.',
      }),
      format: t.field({ type: AlertFormat }),
      onNew: t.boolean({}),
      onRegression: t.boolean({}),
      spikeCount: t.int({ description: 'Null: no alerts for spikes.' }),
      modelCode: t.string({ description: 'Null: crashes of every model.' }),
      crashGroupId: t.id({ description: 'Null: crashes of every group.' }),
      enabled: t.boolean({ description: 'False also discards what was not sent yet.' }),
    }),
  },
  {
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
  { outputFields: (t) => ({ alertRule: t.field({ type: AlertRule, resolve: (rule) => rule }) }) },
);

builder.relayMutationField(
  'deleteAlertRule',
  { inputFields: (t) => ({ id: t.id({ required: true }) }) },
  {
    description: 'Also discards what was not sent yet.',
    resolve: async (_, { input: { id } }, { services }) => {
      const ruleId = requireId('AlertRule', id);
      await services.alerts.delete(ruleId);
      return { deletedAlertRuleId: encodeGlobalId('AlertRule', ruleId) };
    },
  },
  { outputFields: (t) => ({ deletedAlertRuleId: t.exposeID('deletedAlertRuleId') }) },
);

builder.relayMutationField(
  'testAlertRule',
  { inputFields: (t) => ({ id: t.id({ required: true }) }) },
  {
    description: 'Sends one test alert in the background. `alertDeliveries` shows the result.',
    resolve: (_, { input: { id } }, { services }) => services.alerts.test(requireId('AlertRule', id)),
  },
  {
    outputFields: (t) => ({
      alertDelivery: t.field({ type: AlertDelivery, resolve: (delivery) => delivery }),
    }),
  },
);
