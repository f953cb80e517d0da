import { AUDIT_TARGETS } from '../../audit/service.js';
import { decodeGlobalId } from '../../global-ids.js';

/** What a global id names, if audit events are about such things; else null. */
export function auditTargetOf(globalId: string) {
  for (const targetType of AUDIT_TARGETS) {
    const targetId = decodeGlobalId(targetType, globalId);
    if (targetId !== null) return { targetType, targetId };
  }
  return null;
}
