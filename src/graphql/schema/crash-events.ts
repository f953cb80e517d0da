import { type ChangeFilter, type CrashEvent, isChange, type Subject } from '../../changes/types.js';
import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import type { Context } from './context.js';
import { Coredump } from './coredump.js';
import { CrashGroup } from './crash-group.js';
import { Device } from './device.js';
import { DeviceModel } from './device-model.js';
import { Firmware } from './firmware.js';
import { requireId } from './inputs.js';
import type { Loaders } from './loaders.js';

const CrashEventType = builder.enumType('CrashEventType', {
  description: 'What happened. Values may be added; treat an unknown one as GAP.',
  values: {
    READY: {
      description:
        'All earlier changes have been sent, and every later one will be. The first event without `since`. It has no ' +
        'subject; keep its cursor.',
    },
    ARRIVED: { description: 'The thing is new.' },
    CHANGED: { description: 'A field of it has changed.' },
    DELETED: {
      description:
        'It was deleted: by a person, by retention, with its device, or because its group was merged.',
    },
    GAP: {
      description:
        'Changes were missed that the server does not know any more: read your lists again. It has no subject.',
    },
  },
});

const CrashEventSubject = builder.enumType('CrashEventSubject', {
  description: 'What an event is about. Values may be added.',
  values: {
    COREDUMP: { value: 'Coredump', description: 'A core dump. Its raw bytes and their loss count too.' },
    CRASH_GROUP: { value: 'CrashGroup', description: 'A crash group. Each counted crash changes it.' },
    DEVICE: {
      value: 'Device',
      description: 'A device. The use of its token, and its count of crashes, do not count as changes.',
    },
    FIRMWARE: { value: 'Firmware', description: 'A firmware build.' },
    DEVICE_MODEL: { value: 'DeviceModel', description: 'A device model. Its privacy settings count too.' },
  } satisfies Record<string, { value: Subject; description: string }>,
});

/** How the row of each subject is read. */
const READERS = {
  Coredump: ({ coredumps }: Loaders, id: number) => coredumps.byId.load(id),
  CrashGroup: ({ crashGroups }: Loaders, id: number) => crashGroups.byId.load(id),
  Device: ({ devices }: Loaders, id: number) => devices.byId.load(id),
  Firmware: ({ firmwares }: Loaders, id: number) => firmwares.byId.load(id),
  DeviceModel: ({ devices }: Loaders, id: number) => devices.modelById.load(id),
} as const satisfies Record<Subject, (loaders: Loaders, id: number) => unknown>;

const CrashEventRef = builder.objectRef<CrashEvent>('CrashEvent');

const subjectIdOf = (event: CrashEvent) =>
  isChange(event) ? encodeGlobalId(event.subject, event.subjectId) : null;

CrashEventRef.implement({
  description: 'A thing that arrived, changed or was deleted; or where the subscription stands (READY, GAP).',
  fields: (t) => ({
    type: t.field({ type: CrashEventType, description: 'What happened.', resolve: ({ kind }) => kind }),
    // Not `id`: clients with a cache would take the event for the thing itself.
    subjectId: t.id({
      nullable: true,
      description: 'Global id of the thing, also of one that was deleted. Null for READY and GAP.',
      resolve: subjectIdOf,
    }),
    deletedId: t.id({
      nullable: true,
      description: '`subjectId` if the thing was deleted; else null. Relay’s `@deleteRecord` belongs here.',
      resolve: (event) => (event.kind === 'DELETED' ? subjectIdOf(event) : null),
    }),
    subject: t.field({
      type: CrashEventSubject,
      nullable: true,
      description: 'Which kind of thing it is. Null for READY and GAP.',
      resolve: (event) => (isChange(event) ? event.subject : null),
    }),
    node: t.node({
      description: 'The thing as it is now. Null when it was deleted, in this event or meanwhile.',
      id: async (event, _, { loaders }) => {
        if (!isChange(event)) return null;
        const row = await rowOf(event, event.subject, loaders);
        return row === null ? null : encodeGlobalId(event.subject, event.subjectId);
      },
    }),
    coredump: t.field({
      type: Coredump,
      nullable: true,
      description: '`node` if it is a core dump; else null.',
      resolve: (event, _, { loaders }) => rowOf(event, 'Coredump', loaders),
    }),
    crashGroup: t.field({
      type: CrashGroup,
      nullable: true,
      description: '`node` if it is a crash group; else null.',
      resolve: (event, _, { loaders }) => rowOf(event, 'CrashGroup', loaders),
    }),
    device: t.field({
      type: Device,
      nullable: true,
      description: '`node` if it is a device; else null. A dump names its own device.',
      resolve: (event, _, { loaders }) => rowOf(event, 'Device', loaders),
    }),
    firmware: t.field({
      type: Firmware,
      nullable: true,
      description: '`node` if it is a firmware build; else null.',
      resolve: (event, _, { loaders }) => rowOf(event, 'Firmware', loaders),
    }),
    deviceModel: t.field({
      type: DeviceModel,
      nullable: true,
      description: '`node` if it is a device model; else null.',
      resolve: (event, _, { loaders }) => rowOf(event, 'DeviceModel', loaders),
    }),
    at: t.field({
      type: 'DateTime',
      description:
        'When the last change was written, by the clock of the database. Events may have equal times.',
      resolve: ({ at }) => at,
    }),
    cursor: t.string({
      description:
        'Where to continue after this event: pass it as `since`. Opaque; valid for 24 hours, on every server of this ' +
        'database.',
      resolve: ({ cursor }) => cursor,
    }),
  }),
});

builder.subscriptionField('crashEvents', (t) =>
  t.field({
    type: CrashEventRef,
    description:
      'What arrives, changes and is deleted, whoever does it. Without `since` it begins with READY. With `since`, the ' +
      'things that have changed since that cursor come first, each once: DELETED if it is gone, ARRIVED if it came ' +
      'since then, else CHANGED; then READY, then what happens from now on, without a gap. An event may come again ' +
      'after a break; none is left out. Over server-sent events the `id` of each event is its cursor, and the header ' +
      '`Last-Event-ID` of a request stands in for `since`.',
    args: {
      since: t.arg.string({
        description:
          'The `cursor` of the last event that was received. When changes since then are not known any more, after ' +
          '24 hours or on another database, GAP comes first. Wins over the header `Last-Event-ID`.',
      }),
      subjects: t.arg({
        type: [CrashEventSubject],
        description: 'Only events about these; all when absent.',
      }),
      coredumpId: t.arg.id({ description: 'Only this core dump. With several ids: events of any of them.' }),
      deviceId: t.arg.id({ description: 'Only this device and its core dumps.' }),
      crashGroupId: t.arg.id({ description: 'Only this crash group.' }),
    },
    subscribe: (_, { since, ...filter }, { services, lastEventId }) =>
      services.changes.follow(since ?? lastEventId ?? null, toFilter(filter)),
    resolve: (event) => event,
  }),
);

function toFilter({
  subjects,
  coredumpId,
  deviceId,
  crashGroupId,
}: {
  subjects?: readonly Subject[] | null | undefined;
  coredumpId?: string | number | null | undefined;
  deviceId?: string | number | null | undefined;
  crashGroupId?: string | number | null | undefined;
}): ChangeFilter {
  return {
    ...(subjects == null ? {} : { subjects }),
    ...(coredumpId == null ? {} : { coredumpId: requireId('Coredump', coredumpId, 'coredumpId') }),
    ...(deviceId == null ? {} : { deviceId: requireId('Device', deviceId, 'deviceId') }),
    ...(crashGroupId == null ? {} : { crashGroupId: requireId('CrashGroup', crashGroupId, 'crashGroupId') }),
  };
}

type RowOf<Of extends Subject> = Awaited<ReturnType<(typeof READERS)[Of]>>;

/** Subjects whose rows were requested for a whole batch: its events share their loaders. */
const requested = new WeakMap<Context['loaders'], Set<Subject>>();

/** The current row of the event's thing. The rows of all events that were read together are read in one statement. */
async function rowOf<Of extends Subject>(
  event: CrashEvent,
  subject: Of,
  loaders: Loaders,
): Promise<RowOf<Of> | null> {
  if (!isChange(event) || event.subject !== subject || event.kind === 'DELETED') return null;
  const load = READERS[subject] as (loaders: Loaders, id: number) => RowOf<Of> | Promise<RowOf<Of>>;
  const known = requested.get(loaders) ?? new Set();
  if (!known.has(subject)) {
    requested.set(loaders, known.add(subject));
    const others = event.batch.events.filter(
      (other) => other.subject === subject && other.kind !== 'DELETED',
    );
    await Promise.allSettled(others.map(({ subjectId }) => load(loaders, subjectId)));
  }
  return load(loaders, event.subjectId);
}
