import { AUDIT_TARGETS, type AuditEventRow } from '../../audit/service.js';
import { badInput } from '../../errors.js';
import { encodeGlobalId } from '../../global-ids.js';
import { auditTargetOf } from './audit-target.js';
import { builder } from './builder.js';
import { checkedFilter } from './inputs.js';
import { page } from './pages.js';

const AuditEvent = builder.objectRef<AuditEventRow>('AuditEvent').implement({
  description:
    'Who changed or downloaded something, when, and from where. Never changed; removed by age only.',
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => encodeGlobalId('AuditEvent', id) }),
    at: t.expose('at', { type: 'DateTime' }),
    action: t.exposeString('action', { description: 'The mutation’s name, or `downloadCoredump`.' }),
    actor: t.exposeString('actor', {
      description:
        'As the issuer’s token names them, or `token` and the beginning of a static token’s digest; `anybody` without ' +
        'authentication.',
    }),
    role: t.exposeString('role', { description: 'viewer or admin; server for what it did by itself.' }),
    via: t.exposeString('via', { description: 'What vouched for them: issuer, token, link, or open.' }),
    target: t.exposeString('target', { nullable: true, description: 'What it was called: it may be gone.' }),
    targetType: t.exposeString('targetType', {
      nullable: true,
      description: '`Coredump`, `Device` and so on: the type of the id.',
    }),
    targetId: t.id({
      nullable: true,
      description: 'Its global id.',
      resolve: ({ targetType, targetId }) =>
        targetType === null || targetId === null ? null : encodeGlobalId(targetType, targetId),
    }),
    address: t.exposeString('address', { nullable: true }),
    requestId: t.exposeString('requestId', { nullable: true, description: 'The log has it too.' }),
  }),
});

const AuditEventConnection = builder.connectionObject({ type: AuditEvent, name: 'AuditEventConnection' });

const AuditEventFilterInput = builder.inputType('AuditEventFilter', {
  fields: (t) => ({
    action: t.stringList({}),
    actor: t.stringList({}),
    targetId: t.id({ description: 'Global id of what it was done to.' }),
    after: t.field({ type: 'DateTime', description: 'Inclusive.' }),
    before: t.field({ type: 'DateTime', description: 'Exclusive.' }),
  }),
});

builder.queryField('auditEvents', (t) =>
  t.connection(
    {
      type: AuditEvent,
      authScopes: { admin: true },
      description: 'For admins. Newest first.',
      args: { filter: t.arg({ type: AuditEventFilterInput }) },
      resolve: (_, { filter: input, ...args }, { services }) => {
        const { targetId, ...rest } = checkedFilter({ ...input, search: undefined });
        const filter = { ...rest, ...(targetId === undefined ? {} : { target: targetOf(String(targetId)) }) };
        return page(
          args,
          (window) => services.audit.list(filter, window),
          () => services.audit.count(filter),
        );
      },
    },
    AuditEventConnection,
  ),
);

function targetOf(globalId: string): { type: string; id: number } {
  const target = auditTargetOf(globalId);
  if (target === null)
    throw badInput(`targetId is not the id of anything that events are about: ${AUDIT_TARGETS.join(', ')}.`);
  return { type: target.targetType, id: target.targetId };
}
