import { AUDIT_ROLES, AUDIT_TARGETS, AUDIT_WAYS, type AuditEventRow } from '../../audit/service.js';
import { hasRole, refusalOf } from '../../auth/principal.js';
import { badInput } from '../../errors.js';
import { encodeGlobalId } from '../../global-ids.js';
import { auditTargetOf } from './audit-target.js';
import { builder } from './builder.js';
import { checkedFilter, rowIdOf } from './inputs.js';
import { page } from './pages.js';

const AuditRole = builder.enumType('AuditRole', {
  description:
    'The role of whoever did something. Values may be added; one that this version does not know is VIEWER.',
  values: {
    VIEWER: { value: 'viewer', description: 'A person who may read and download.' },
    UPLOADER: { value: 'uploader', description: 'A program, as in CI, that may only upload firmware.' },
    ADMIN: { value: 'admin', description: 'A person who may change everything.' },
    DEVICE: { value: 'device', description: 'A device that registered itself.' },
    SERVER: { value: 'server', description: 'The server did it by itself.' },
  } satisfies Described<(typeof AUDIT_ROLES)[number]>,
});

const AuditVia = builder.enumType('AuditVia', {
  description:
    'How it is known who did something. Values may be added; one that this version does not know is OPEN.',
  values: {
    ISSUER: { value: 'issuer', description: 'By a token of the OIDC issuer.' },
    TOKEN: { value: 'token', description: 'By a static token of the settings.' },
    PUBLISHER: {
      value: 'publisher',
      description: 'By the token of a CI job that `TRUSTED_PUBLISHERS` names.',
    },
    LINK: { value: 'link', description: 'By a signed link for a download.' },
    INGEST_KEY: { value: 'ingest_key', description: 'By an ingest key of a model.' },
    OPEN: { value: 'open', description: 'Not at all: the server had no authentication.' },
    SERVER: { value: 'server', description: 'The server did it by itself.' },
  } satisfies Described<(typeof AUDIT_WAYS)[number]>,
});

const AuditTargetType = builder.enumType('AuditTargetType', {
  description: 'What something was done to. Values may be added.',
  values: {
    ALERT_RULE: { value: 'AlertRule', description: 'A rule for alerts.' },
    COREDUMP: { value: 'Coredump', description: 'A dump.' },
    CRASH_GROUP: { value: 'CrashGroup', description: 'A crash group.' },
    DEVICE: { value: 'Device', description: 'A device, or all its dumps.' },
    DEVICE_MODEL: { value: 'DeviceModel', description: 'A model of devices.' },
    FIRMWARE: { value: 'Firmware', description: 'A build.' },
    INGEST_KEY: { value: 'IngestKey', description: 'An ingest key.' },
    TAG: { value: 'Tag', description: 'A tag of crash groups, or one of its rules.' },
    SAVED_VIEW: { value: 'SavedView', description: 'A saved view.' },
  } satisfies Described<(typeof AUDIT_TARGETS)[number]>,
});

type Described<Value> = Record<string, { value: Value; description: string }>;

const AuditEvent = builder.objectRef<AuditEventRow>('AuditEvent');

builder.node(AuditEvent, {
  description:
    'Who changed or downloaded something, when, and from where. For admins. Never changed; removed by age only.',
  id: { resolve: ({ id }) => id },
  // The only way to an event beside `auditEvents`, and open to viewers: `node` is for all types.
  loadOne: (id, { services, person }) => {
    if (!hasRole(person, 'admin')) throw refusalOf(person);
    return services.audit.get(rowIdOf(id));
  },
  fields: (t) => ({
    createdAt: t.expose('at', { type: 'DateTime', description: 'When it was done.' }),
    action: t.exposeString('action', {
      description:
        'The mutation’s name, `downloadCoredump`, `downloadFirmware`, or `registerDevice` of a device that registered itself. ' +
        'A text, because every release may add mutations.',
    }),
    actor: t.exposeString('actor', {
      description:
        'Who: the name in the issuer’s token, or `token` and the first digits of a static token’s digest; repository, ref ' +
        'and run of a CI job; `ingest key`, its name and its hint; `anybody` without authentication; `coredock` for the ' +
        'server itself.',
    }),
    role: t.field({
      type: AuditRole,
      description: 'The role that they had.',
      resolve: ({ role }) => AUDIT_ROLES.find((known) => known === role) ?? 'viewer',
    }),
    via: t.field({
      type: AuditVia,
      description: 'How it is known who they are.',
      resolve: ({ via }) => AUDIT_WAYS.find((known) => known === via) ?? 'open',
    }),
    target: t.exposeString('target', {
      nullable: true,
      description: 'What it was done to: its name at that time. It may have been deleted since.',
    }),
    targetType: t.field({
      type: AuditTargetType,
      nullable: true,
      description: 'The type of the target; null when there is none, or one that this version does not know.',
      resolve: ({ targetType }) => AUDIT_TARGETS.find((known) => known === targetType) ?? null,
    }),
    targetId: t.id({
      nullable: true,
      description: 'The global id of the target, for `node`.',
      resolve: ({ targetType, targetId }) =>
        targetType === null || targetId === null ? null : encodeGlobalId(targetType, targetId),
    }),
    detail: t.exposeString('detail', {
      nullable: true,
      description:
        'What was done, in words: `in 1.3.0`, `to ada`. At most 1000 characters. Null where there is nothing to add, and ' +
        'in events of earlier releases.',
    }),
    address: t.exposeString('address', {
      nullable: true,
      description: 'The address that the request came from: `203.0.113.7`. Null for the server itself.',
    }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: 'The id of the request, which the log has as well.',
    }),
  }),
});

const AuditEventConnection = builder.connectionObject({ type: AuditEvent, name: 'AuditEventConnection' });

const AuditEventFilterInput = builder.inputType('AuditEventFilter', {
  description: 'Fields that are left out do not filter. A list means "one of".',
  fields: (t) => ({
    action: t.stringList({ description: 'Names of mutations, `downloadCoredump` or `downloadFirmware`.' }),
    actor: t.stringList({ description: 'Names of actors, exactly.' }),
    role: t.field({ type: [AuditRole], description: 'Roles of actors.' }),
    targetType: t.field({ type: [AuditTargetType], description: 'Types of targets.' }),
    targetId: t.id({ description: 'Global id of the target.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Then or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Before.' }),
  }),
});

builder.queryField('auditEvents', (t) =>
  t.connection(
    {
      type: AuditEvent,
      authScopes: { admin: true },
      description: 'Who did what. For admins. Newest first.',
      args: { filter: t.arg({ type: AuditEventFilterInput, description: 'Only these events.' }) },
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
