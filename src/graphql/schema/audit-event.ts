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
        'The name in the issuer’s token, or `token` and the first digits of a static token’s digest; `anybody` without ' +
        'authentication.',
    }),
    role: t.exposeString('role', {
      description: 'viewer or admin; `server` for what the server did by itself.',
    }),
    via: t.exposeString('via', { description: 'How they signed in: issuer, token, link, or open.' }),
    target: t.exposeString('target', {
      nullable: true,
      description: 'Its name at that time; it may have been deleted since.',
    }),
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
    requestId: t.exposeString('requestId', { nullable: true, description: 'Also in the log.' }),
  }),
});

const AuditEventConnection = builder.connectionObject({ type: AuditEvent, name: 'AuditEventConnection' });

const AuditEventFilterInput = builder.inputType('AuditEventFilter', {
  fields: (t) => ({
    action: t.stringList({}),
    actor: t.stringList({}),
    targetId: t.id({ description: 'Global id of the target.' }),
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
    throw badInput(`targetId must be the id of one of these: ${AUDIT_TARGETS.join(', ')}.`, {
      field: 'filter.targetId',
    });
  return { type: target.targetType, id: target.targetId };
}
