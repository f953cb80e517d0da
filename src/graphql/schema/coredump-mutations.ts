import { badInput } from '../../errors.js';
import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { Coredump } from './coredump.js';
import { CoredumpFilterInput, toCoredumpFilter } from './coredump-filter.js';
import { requireId } from './inputs.js';

builder.relayMutationField(
  'deleteCoredump',
  {
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'Global id of the dump.' }),
      deviceId: t.id({
        description: 'Global id of a device: NOT_FOUND unless the dump belongs to it. Null checks nothing.',
      }),
    }),
  },
  {
    description: 'Deletes a dump, its row and then its file. The crash stays counted.',
    resolve: async (_, { input: { id, deviceId } }, { services }) => {
      const coredumpId = requireId('Coredump', id);
      await services.coredumps.delete(
        coredumpId,
        deviceId == null ? undefined : requireId('Device', deviceId, 'deviceId'),
      );
      return { deletedCoredumpId: encodeGlobalId('Coredump', coredumpId) };
    },
  },
  {
    outputFields: (t) => ({
      deletedCoredumpId: t.exposeID('deletedCoredumpId', { description: 'Global id of the deleted dump.' }),
    }),
  },
);

builder.relayMutationField(
  'deleteCoredumps',
  {
    description: 'Exactly one of the two fields.',
    inputFields: (t) => ({
      deviceId: t.id({ description: 'Global id of a device: all its dumps are deleted.' }),
      filter: t.field({
        type: CoredumpFilterInput,
        description: 'All dumps that match are deleted. A filter without a condition is refused.',
      }),
    }),
  },
  {
    description:
      'Deletes all dumps of a device at once, or all that match a filter, in batches: after an error in between some are ' +
      'deleted, and the same call deletes the others. Crashes stay counted.',
    resolve: async (_, { input: { deviceId, filter } }, context) => {
      const { services } = context;
      if ((deviceId == null) === (filter == null)) {
        throw badInput('Give exactly one of "deviceId" and "filter".', { field: 'filter' });
      }
      if (deviceId != null)
        return { count: await services.coredumps.deleteAllOf(requireId('Device', deviceId, 'deviceId')) };
      return { count: await services.coredumps.deleteMatching(toCoredumpFilter(filter, context)) };
    },
  },
  { outputFields: (t) => ({ count: t.exposeInt('count', { description: 'Dumps that were deleted.' }) }) },
);

builder.relayMutationField(
  'reparseCoredump',
  { inputFields: (t) => ({ id: t.id({ required: true, description: 'Global id of the dump.' }) }) },
  {
    description:
      'Parses a dump again: it becomes PENDING and is queued. Its build is found by the dump, also if a person chose one ' +
      'before (`parseCoredump`).',
    resolve: (_, { input: { id } }, { services }) => services.coredumps.reparse(requireId('Coredump', id)),
  },
  {
    outputFields: (t) => ({
      coredump: t.field({ type: Coredump, description: 'The dump, PENDING.', resolve: (dump) => dump }),
    }),
  },
);

builder.relayMutationField(
  'parseCoredump',
  {
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'Global id of the dump.' }),
      firmwareId: t.id({
        required: true,
        description:
          'Global id of a build of the model of the dump’s device; BAD_USER_INPUT for another model, and for a build for ' +
          'another chip than the dump names.',
      }),
    }),
  },
  {
    description:
      'Parses a dump with the build that you choose, whatever build it names or waits for: it becomes PENDING and is queued. Later ' +
      'parses use that build too, until `reparseCoredump` or until the build is deleted. `report.elfMatches` is false when ' +
      'it is not known to be the build that the device ran.',
    resolve: (_, { input: { id, firmwareId } }, { services }) =>
      services.coredumps.parseWith(
        requireId('Coredump', id),
        requireId('Firmware', firmwareId, 'firmwareId'),
      ),
  },
  {
    outputFields: (t) => ({
      coredump: t.field({ type: Coredump, description: 'The dump, PENDING.', resolve: (dump) => dump }),
    }),
  },
);

builder.relayMutationField(
  'parseCoredumps',
  {
    inputFields: (t) => ({
      filter: t.field({
        type: CoredumpFilterInput,
        required: true,
        description: 'Which dumps, at most 200. A filter without a condition is refused.',
      }),
      firmwareId: t.id({
        description:
          'Global id of a build: dumps of other models are left out. BAD_USER_INPUT for a build for another chip than one of ' +
          'the dumps names. Null, or left out: each dump finds its own build again, which undoes a choice.',
      }),
    }),
  },
  {
    description:
      'Parses several dumps with the build that you choose, as `parseCoredump` does for one. Dumps without their raw bytes are ' +
      'left out. All or none are queued.',
    resolve: async (_, { input: { filter, firmwareId } }, context) => {
      const { services } = context;
      const buildId = firmwareId == null ? null : requireId('Firmware', firmwareId, 'firmwareId');
      const ids = await services.coredumps.parseSeveralWith(toCoredumpFilter(filter, context), buildId);
      return { coredumpIds: ids.map((id) => encodeGlobalId('Coredump', id)) };
    },
  },
  {
    outputFields: (t) => ({
      count: t.int({
        description: 'Dumps that were queued.',
        resolve: ({ coredumpIds }) => coredumpIds.length,
      }),
      coredumpIds: t.field({
        type: ['ID'],
        description: 'Global ids of these dumps, the oldest first.',
        resolve: ({ coredumpIds }) => coredumpIds,
      }),
    }),
  },
);

builder.relayMutationField(
  'reparseCoredumps',
  {
    inputFields: (t) => ({
      filter: t.field({
        type: CoredumpFilterInput,
        required: true,
        description: 'Which dumps. `{}` means all dumps of the fleet.',
      }),
    }),
  },
  {
    description:
      'Parses every dump that matches the filter again, if its raw bytes are stored. Builds that persons chose are used ' +
      'again.',
    resolve: async (_, { input: { filter } }, context) => ({
      count: await context.services.coredumps.reparseAll(toCoredumpFilter(filter, context)),
    }),
  },
  { outputFields: (t) => ({ count: t.exposeInt('count', { description: 'Dumps that were queued.' }) }) },
);
