import { ALERT_EVENTS, ALERT_FORMATS } from '../../alerts/formats.js';
import type { AlertDeliveryRow, AlertRuleRow } from '../../alerts/service.js';
import { encodeGlobalId } from '../../global-ids.js';
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
  description: 'Where somebody wants to be told of crashes, and of which.',
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => encodeGlobalId('AlertRule', id) }),
    name: t.exposeString('name'),
    target: t.string({
      description: 'Scheme and host of its address; the rest may be a secret and is not shown.',
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
      description: 'Crashes of one group within an hour of the clock that are told as a spike.',
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
    enabled: t.exposeBoolean('enabled', { description: 'False: it tells nothing, tests aside.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const AlertDelivery = builder.objectRef<AlertDeliveryRow>('AlertDelivery').implement({
  description: 'One alert on its way; kept for 30 days.',
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

const CreateAlertRuleInput = builder.inputType('CreateAlertRuleInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    url: t.string({ required: true, description: 'Slack’s or Discord’s webhook, or your own receiver.' }),
    format: t.field({ type: AlertFormat, required: true }),
    onNew: t.boolean({ defaultValue: true, description: 'A group that was not there before.' }),
    onRegression: t.boolean({ defaultValue: true, description: 'A resolved group that came back.' }),
    spikeCount: t.int({
      description:
        'So many crashes of one group within an hour of the clock; with `modelCode` that model’s crashes. Told once an hour.',
    }),
    modelCode: t.string({ description: 'Only crashes of this model.' }),
    crashGroupId: t.id({ description: 'Only this group.' }),
    enabled: t.boolean({ defaultValue: true }),
  }),
});

const UpdateAlertRuleInput = builder.inputType('UpdateAlertRuleInput', {
  description: 'What is left out stays as it is; so does the secret.',
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string({}),
    url: t.string({
      description: 'The whole address: of the old one nobody is shown more than its `target`.',
    }),
    format: t.field({ type: AlertFormat }),
    onNew: t.boolean({}),
    onRegression: t.boolean({}),
    spikeCount: t.int({ description: 'Null: spikes are not told.' }),
    modelCode: t.string({ description: 'Null: crashes of every model.' }),
    crashGroupId: t.id({ description: 'Null: crashes of every group.' }),
    enabled: t.boolean({ description: 'False also gives up what it has not sent yet.' }),
  }),
});

const CreateAlertRulePayload = builder.objectRef<AlertRuleRow>('CreateAlertRulePayload').implement({
  fields: (t) => ({
    rule: t.field({ type: AlertRule, resolve: (rule) => rule }),
    secret: t.exposeString('secret', {
      description:
        'Key of `Coredock-Signature: t=SECONDS,v1=HEX`: HMAC-SHA-256 over `SECONDS.BODY`. Shown this once.',
    }),
  }),
});

builder.queryFields((t) => ({
  alertRules: t.field({
    type: [AlertRule],
    description: 'Newest first.',
    resolve: (_, __, { services }) => services.alerts.list(),
  }),
  alertDeliveries: t.field({
    type: [AlertDelivery],
    description: 'The log, newest first: of one rule, or of all.',
    args: { ruleId: t.arg.id(), first: t.arg.int({ defaultValue: 20, description: '100 at most.' }) },
    resolve: (_, { ruleId, first }, { services }) =>
      services.alerts.deliveries(ruleId == null ? null : requireId('AlertRule', ruleId), first ?? 20),
  }),
}));

builder.mutationFields((t) => ({
  createAlertRule: t.field({
    type: CreateAlertRulePayload,
    args: { input: t.arg({ type: CreateAlertRuleInput, required: true }) },
    resolve: (_, { input: { crashGroupId, ...input } }, { services }) =>
      services.alerts.create({
        name: input.name,
        url: input.url,
        format: input.format,
        onNew: input.onNew ?? false,
        onRegression: input.onRegression ?? false,
        spikeCount: input.spikeCount ?? null,
        modelCode: input.modelCode ?? null,
        groupId: crashGroupId == null ? null : requireId('CrashGroup', crashGroupId),
        enabled: input.enabled ?? true,
      }),
  }),
  updateAlertRule: t.field({
    type: AlertRule,
    args: { input: t.arg({ type: UpdateAlertRuleInput, required: true }) },
    resolve: (_, { input: { id, spikeCount, modelCode, crashGroupId, ...rest } }, { services }) =>
      services.alerts.update(requireId('AlertRule', id), {
        ...present(rest),
        // Of these null says something else than nothing.
        ...(spikeCount === undefined ? {} : { spikeCount }),
        ...(modelCode === undefined ? {} : { modelCode }),
        ...(crashGroupId === undefined
          ? {}
          : { groupId: crashGroupId === null ? null : requireId('CrashGroup', crashGroupId) }),
      }),
  }),
  deleteAlertRule: t.id({
    description: 'With what it has not sent yet.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_, { id }, { services }) => {
      const ruleId = requireId('AlertRule', id);
      await services.alerts.delete(ruleId);
      return encodeGlobalId('AlertRule', ruleId);
    },
  }),
  testAlertRule: t.field({
    type: AlertDelivery,
    description: 'Sends a test, once, in the background: `alertDeliveries` tells how it went.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_, { id }, { services }) => services.alerts.test(requireId('AlertRule', id)),
  }),
}));
