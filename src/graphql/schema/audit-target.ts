import { AUDIT_TARGETS } from '../../audit/service.js';
import { decodeGlobalId } from '../../global-ids.js';

/** Type and number in a global id; null when audit events have no targets of that type. */
export function auditTargetOf(globalId: string) {
  for (const targetType of AUDIT_TARGETS) {
    const targetId = decodeGlobalId(targetType, globalId);
    if (targetId !== null) return { targetType, targetId };
  }
  return null;
}
