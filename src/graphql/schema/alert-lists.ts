import type { AlertRuleRow, RULE_ORDERS, RuleOrder } from '../../alerts/types.js';
import { decodeGlobalId } from '../../global-ids.js';
import { AlertDelivery, AlertRule } from './alert.js';
import { AlertDeliveryStatus, AlertEvent, AlertFormat } from './alert-enums.js';
import { builder } from './builder.js';
import { checkedFilter, requireId } from './inputs.js';
import { OrderDirection } from './order.js';
import { byNumber, byText, byTime, type OrderFields, orderedPage } from './ordered-pages.js';
import { page } from './pages.js';

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
