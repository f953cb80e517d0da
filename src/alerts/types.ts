import type { Prisma } from '../platform/database/client.js';
import type { Order } from '../platform/database/ordered-window.js';
import type { AlertEvent, AlertFormat } from './payload.js';

export type AlertRuleRow = Prisma.AlertRuleGetPayload<object>;
export type AlertDeliveryRow = Prisma.AlertDeliveryGetPayload<object>;

export const DELIVERY_STATUSES = ['HELD', 'PENDING', 'DELIVERED', 'FAILED', 'DIGESTED'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export const RULE_ORDERS = ['CREATED_AT', 'UPDATED_AT', 'NAME'] as const;
export type RuleOrder = Order<(typeof RULE_ORDERS)[number]>;

/** An empty filter matches all rules. A list means "one of"; an empty list matches none. */
export interface RuleFilter {
  enabled?: boolean;
  format?: AlertFormat[];
  /** Rules for one of these models only. */
  modelCode?: string[];
  /** Rules for one of these groups only. */
  groupId?: number[];
}

/** An empty filter matches all deliveries. */
export interface DeliveryFilter {
  ruleId?: number[];
  status?: DeliveryStatus[];
  event?: AlertEvent[];
  /** Inclusive. */
  createdAfter?: Date;
  /** Exclusive. */
  createdBefore?: Date;
}
