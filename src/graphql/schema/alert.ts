import { ALERT_EVENTS, ALERT_FORMATS } from '../../alerts/formats.js';
import {
  type AlertDeliveryRow,
  type AlertRuleRow,
  DELIVERY_STATUSES,
  type RULE_ORDERS,
  type RuleOrder,
} from '../../alerts/types.js';
import { decodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { DeviceModel } from './device-model.js';
import { checkedFilter, requireId, rowIdOf } from './inputs.js';
import { OrderDirection } from './order.js';
import { byNumber, byText, byTime, type OrderFields, orderedPage } from './ordered-pages.js';
import { page } from './pages.js';

export const AlertFormat = builder.enumType('AlertFormat', {
  description:
    'The body of the requests of a rule. Values may be added; one that this server does not know reads GENERIC.',
  values: {
    GENERIC: { description: 'JSON for your own program, described in docs/api.md.' },
    SLACK: { description: 'A message for a webhook of Slack; Mattermost and Rocket.Chat take it too.' },
    DISCORD: { description: 'A message for a webhook of Discord.' },
  } satisfies Record<(typeof ALERT_FORMATS)[number], { description: string }>,
});

const AlertEvent = builder.enumType('AlertEvent', {
  description: 'Why an alert was sent. Values may be added; one that this server does not know reads TEST.',
  values: {
    NEW: { description: 'The first crash of a group.' },
    REGRESSION: { description: 'A crash of a group that was resolved.' },
    SPIKE: { description: 'The crashes of a group within one clock hour reached the rule’s `spikeCount`.' },
    TEST: { description: 'A person asked for a test.' },
  } satisfies Record<(typeof ALERT_EVENTS)[number], { description: string }>,
});

const AlertDeliveryStatus = builder.enumType('AlertDeliveryStatus', {
  description:
    'The state of a delivery. Values may be added; one that this server does not know reads PENDING.',
  values: {
    PENDING: { description: 'To be sent, or sent again after a failed attempt: for about ten hours.' },
    DELIVERED: { description: 'The target answered with a status from 200 to 299. Final.' },
    FAILED: { description: 'The last attempt failed, or the rule was switched off. Final.' },
  } satisfies Record<(typeof DELIVERY_STATUSES)[number], { description: string }>,
});

export const AlertRule = builder.objectRef<AlertRuleRow>('AlertRule');
export const AlertDelivery = builder.objectRef<AlertDeliveryRow>('AlertDelivery');

builder.node(AlertRule, {
  description: 'Where alerts are sent, and for which crashes. An installation has at most 100 rules.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.alerts.ruleById.load(rowIdOf(id)),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people: 1 to 200 characters on one line.' }),
    target: t.string({
      description:
        'Scheme and host of the URL: `https://hooks.slack.com`. The rest may be a secret and is not shown.',
      resolve: ({ url }) => new URL(url).origin,
    }),
    format: t.field({
      type: AlertFormat,
      description: 'The body of its requests.',
      resolve: ({ format }) => ALERT_FORMATS.find((known) => known === format) ?? 'GENERIC',
    }),
    onNew: t.exposeBoolean('onNew', { description: 'It alerts for the first crash of a group.' }),
    onRegression: t.exposeBoolean('onRegression', {
      description: 'It alerts when a resolved group crashes again.',
    }),
    spikeCount: t.exposeInt('spikeCount', {
      nullable: true,
      description:
        'This many crashes of one group within one clock hour are a spike, 2 at least. Null: no alerts for spikes.',
    }),
    model: t.field({
      type: DeviceModel,
      nullable: true,
      description: 'Only crashes of this model. Null: of every model.',
      resolve: ({ modelId }, _, { loaders }) =>
        modelId === null ? null : loaders.devices.modelById.load(modelId),
    }),
    crashGroup: t.field({
      type: CrashGroup,
      nullable: true,
      description: 'Only this group. Null: every group.',
      resolve: ({ groupId }, _, { loaders }) =>
        groupId === null ? null : loaders.crashGroups.byId.load(groupId),
    }),
    enabled: t.exposeBoolean('enabled', {
      description:
        'False: it sends only test alerts. A rule is also switched off when its group or model is deleted.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.field({
      type: 'DateTime',
      description: 'When a person last changed it; at first its `createdAt`.',
      resolve: ({ createdAt, updatedAt }) => updatedAt ?? createdAt,
    }),
  }),
});

builder.node(AlertDelivery, {
  description: 'One alert and the state of its delivery. Kept for 30 days after it was written.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.alerts.deliveryById.load(rowIdOf(id)),
  fields: (t) => ({
    rule: t.field({
      type: AlertRule,
      nullable: true,
      description: 'The rule that sends it. Null when the rule was deleted a moment ago.',
      resolve: ({ ruleId }, _, { loaders }) => loaders.alerts.ruleById.load(ruleId),
    }),
    event: t.field({
      type: AlertEvent,
      description: 'Why it is sent.',
      resolve: ({ event }) => ALERT_EVENTS.find((known) => known === event) ?? 'TEST',
    }),
    status: t.field({
      type: AlertDeliveryStatus,
      description: 'Whether it has arrived.',
      resolve: ({ status }) => DELIVERY_STATUSES.find((known) => known === status) ?? 'PENDING',
    }),
    attempts: t.exposeInt('attempts', {
      description: 'Number of requests so far: 12 at most, and one for a test.',
    }),
    httpStatus: t.exposeInt('httpStatus', {
      nullable: true,
      description: 'Status of the target’s answer to the last attempt: 200. Null without an answer.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why the last attempt failed, as a short English text. Null: it did not fail.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the alert was written.' }),
    deliveredAt: t.expose('deliveredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the target accepted it. Null: not yet.',
    }),
  }),
});

const AlertRuleConnection = builder.connectionObject({
  type: AlertRule,
  name: 'AlertRuleConnection',
  description: 'One page of a list of alert rules.',
});
const AlertDeliveryConnection = builder.connectionObject({
  type: AlertDelivery,
  name: 'AlertDeliveryConnection',
  description: 'One page of a list of deliveries.',
});

builder.objectField(AlertRule, 'deliveries', (t) =>
  t.connection(
    {
      type: AlertDelivery,
      description: 'Its deliveries of the last 30 days, newest first.',
      resolve: (rule, args, { loaders }) => {
        const { id: parentId } = rule;
        // Its deliveries may be asked for their rule.
        loaders.alerts.ruleById.know(rule);
        return page(
          args,
          (window) => loaders.alerts.deliveriesOf.load({ parentId, window }),
          () => loaders.alerts.deliveryCountOf.load(parentId),
        );
      },
    },
    AlertDeliveryConnection,
  ),
);

const AlertRuleOrderField = builder.enumType('AlertRuleOrderField', {
  description: 'What a list of alert rules is sorted by. Values may be added.',
  values: {
    CREATED_AT: { description: 'When the rule was created.' },
    UPDATED_AT: { description: 'When a person last changed the rule.' },
    NAME: { description: 'Its name, in upper or lower case.' },
  } satisfies Record<(typeof RULE_ORDERS)[number], { description: string }>,
});

const AlertRuleOrderInput = builder.inputType('AlertRuleOrder', {
  description:
    'How a list of alert rules is sorted. Among equal values the newest rule has the highest place.',
  fields: (t) => ({
    field: t.field({ type: AlertRuleOrderField, required: true, description: 'What is compared.' }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'Highest first, unless told otherwise.',
    }),
  }),
});

const ORDER_FIELDS: OrderFields<AlertRuleRow, RuleOrder['field']> = {
  CREATED_AT: byNumber(({ id }) => id),
  UPDATED_AT: byTime(({ createdAt, updatedAt }) => updatedAt ?? createdAt),
  NAME: byText(({ name }) => name),
};

const AlertRuleFilterInput = builder.inputType('AlertRuleFilter', {
  description:
    'All given fields must match. Fields that are left out or null do not filter; a list means "one of".',
  fields: (t) => ({
    enabled: t.boolean({ description: 'True: rules that are switched on. False: those that are not.' }),
    format: t.field({ type: [AlertFormat], description: 'Formats of the requests.' }),
    modelCode: t.stringList({
      description: 'Rules that are limited to one of these models. Rules for every model do not match.',
    }),
    crashGroupId: t.idList({
      description:
        'Rules that are limited to one of these groups. Rules for every group do not match. NOT_FOUND for another id.',
    }),
  }),
});

const AlertDeliveryFilterInput = builder.inputType('AlertDeliveryFilter', {
  description:
    'All given fields must match. Fields that are left out or null do not filter; a list means "one of".',
  fields: (t) => ({
    ruleId: t.idList({ description: 'Deliveries of these rules. NOT_FOUND for another id.' }),
    status: t.field({ type: [AlertDeliveryStatus], description: 'States of the delivery.' }),
    event: t.field({ type: [AlertEvent], description: 'Why it was sent.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Written then or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Written before then.' }),
  }),
});

builder.queryFields((t) => ({
  alertRules: t.connection(
    {
      type: AlertRule,
      description: 'All alert rules, the newest first unless sorted otherwise.',
      args: {
        filter: t.arg({ type: AlertRuleFilterInput, description: 'Which rules; all by default.' }),
        orderBy: t.arg({ type: AlertRuleOrderInput, description: 'By default the newest rule comes first.' }),
      },
      resolve: (_, { filter: input, orderBy, ...args }, { services }) => {
        const { crashGroupId, ...rest } = checkedFilter(input ?? {});
        const groupId = crashGroupId?.map((id) => requireId('CrashGroup', id, 'filter.crashGroupId'));
        const filter = { ...rest, ...(groupId === undefined ? {} : { groupId }) };
        return orderedPage(
          { ...args, orderBy: orderBy ?? { field: 'CREATED_AT', direction: 'DESC' } },
          ORDER_FIELDS,
          (window) => services.alerts.list(filter, window),
          () => services.alerts.count(filter),
        );
      },
    },
    AlertRuleConnection,
  ),
  alertRule: t.field({
    type: AlertRule,
    nullable: true,
    description: 'The alert rule with this id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'Global id of the rule.' }) },
    resolve: (_, { id }, { loaders }) => {
      const ruleId = decodeGlobalId('AlertRule', String(id));
      return ruleId === null ? null : loaders.alerts.ruleById.load(ruleId);
    },
  }),
  alertDeliveries: t.connection(
    {
      type: AlertDelivery,
      description: 'The log of deliveries of the last 30 days, of all rules, newest first.',
      args: {
        filter: t.arg({ type: AlertDeliveryFilterInput, description: 'Which deliveries; all by default.' }),
      },
      resolve: (_, { filter: input, ...args }, { services }) => {
        const { ruleId, ...rest } = checkedFilter(input ?? {});
        const ids = ruleId?.map((id) => requireId('AlertRule', id, 'filter.ruleId'));
        const filter = { ...rest, ...(ids === undefined ? {} : { ruleId: ids }) };
        return page(
          args,
          (window) => services.alerts.listDeliveries(filter, window),
          () => services.alerts.countDeliveries(filter),
        );
      },
    },
    AlertDeliveryConnection,
  ),
}));
