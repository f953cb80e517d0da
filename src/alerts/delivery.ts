import type { Prisma } from '../platform/database/client.js';
import type { Alert } from './payload.js';
import { releaseOf } from './release.js';
import type { AlertRuleRow } from './types.js';

/** A new delivery: to be sent at once, or held for the next digest or the end of quiet hours. */
export function newDelivery(
  rule: AlertRuleRow,
  payload: Alert,
  now: Date,
): Prisma.AlertDeliveryUncheckedCreateInput {
  const dueAt = releaseOf(rule, payload.event, now);
  return {
    ruleId: rule.id,
    event: payload.event,
    payload: JSON.stringify(payload),
    status: dueAt > now ? 'HELD' : 'PENDING',
    dueAt,
    createdAt: now,
  };
}
