import {
  deviceUrlOf,
  type ModelLinks as Links,
  newTicketUrlOf,
  revisionUrlOf,
} from '../../devices/model-links.js';
import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { Device } from './device.js';
import { DeviceModel, modelOf } from './device-model.js';
import { Firmware } from './firmware.js';

const ModelLinks = builder.objectRef<Links>('ModelLinks').implement({
  description:
    'Where a model’s sources, tickets and devices are found: templates of https addresses, whose placeholders are filled ' +
    'in. Null: no such link.',
  fields: (t) => ({
    sourceUrl: t.exposeString('sourceUrl', {
      nullable: true,
      description:
        'Of a line of the source, with `{revision}`, `{path}` and `{line}`: ' +
        '`https://github.com/acme/fw/blob/{revision}/{path}#L{line}`.',
    }),
    sourcePrefixes: t.exposeStringList('sourcePrefixes', {
      description:
        'Beginnings of file names that the repository does not have, `/srv/build/fw/`; the longest that fits is removed. ' +
        'The folders of GitHub’s and GitLab’s CI need none.',
    }),
    compareUrl: t.exposeString('compareUrl', {
      nullable: true,
      description:
        'Of what changed between two revisions, with `{from}` and `{to}`: `https://github.com/acme/fw/compare/{from}...{to}`.',
    }),
    ticketUrl: t.exposeString('ticketUrl', {
      nullable: true,
      description:
        'Where a new ticket is written, with `{title}` and `{body}`: ' +
        '`https://github.com/acme/fw/issues/new?title={title}&body={body}`.',
    }),
    deviceUrl: t.exposeString('deviceUrl', {
      nullable: true,
      description:
        'Of the operator’s own page of a device, with `{key}`, `{serial}`, `{name}` and `{model}` (its code): ' +
        '`https://fleet.example.com/devices/{serial}`.',
    }),
  }),
});

builder.objectField(DeviceModel, 'links', (t) =>
  t.field({
    type: ModelLinks,
    description: 'Templates of links to sources, tickets and devices (`updateModelLinks`).',
    resolve: ({ id }, _, { loaders }) => loaders.devices.linksOfModel.load(id),
  }),
);

builder.objectField(Device, 'externalUrl', (t) =>
  t.string({
    nullable: true,
    description:
      'Address of the operator’s own page of the device, by `links.deviceUrl` of its model. Null without a template, and ' +
      'when the device has no serial or name that the template needs.',
    resolve: async (device, args, context) => {
      const links = await context.loaders.devices.linksOfModel.load(device.modelId);
      if (links.deviceUrl === null) return null;
      const { key, serial, name } = device;
      return deviceUrlOf(links, { key, serial, name, model: (await modelOf(device, args, context)).code });
    },
  }),
);

builder.objectField(Firmware, 'revisionUrl', (t) =>
  t.string({
    nullable: true,
    description:
      'Address of the sources of its revision, by `links.sourceUrl` of its model. Null without a revision, and where the ' +
      'template does not have `/{revision}/{path}` in it.',
    resolve: async ({ modelId, revision }, _, { loaders }) =>
      revision === null ? null : revisionUrlOf(await loaders.devices.linksOfModel.load(modelId), revision),
  }),
);

builder.objectField(CrashGroup, 'newTicketUrl', (t) =>
  t.string({
    nullable: true,
    description:
      'Address where a new ticket for the group is written, with its title and a short text that links to the group, by ' +
      '`links.ticketUrl` of a model that it was seen on. Null when none has a template.',
    resolve: async (group, _, { loaders, services }) => {
      const variants = await loaders.crashGroups.variants.load(group.id);
      const modelIds = [...new Set(variants.map(({ modelId }) => modelId))];
      const links = await Promise.all(modelIds.map((id) => loaders.devices.linksOfModel.load(id)));
      const withTickets = links.find(({ ticketUrl }) => ticketUrl !== null);
      if (withTickets === undefined) return null;
      const { pageUrl } = services.coredumps.markdownLinks;
      const versions = [...new Set(variants.map(({ firmwareVersion }) => firmwareVersion))];
      const body = [
        `\`${inCode(group.reason)}\``,
        `${counted(group.count, 'crash', 'crashes')} on ${counted(group.deviceCount, 'device', 'devices')}, ` +
          `in ${versions.map((version) => `\`${inCode(version)}\``).join(', ')}.`,
        ...(pageUrl === null ? [] : [`${pageUrl}/groups/${encodeGlobalId('CrashGroup', group.id)}`]),
      ];
      return newTicketUrlOf(withTickets, { title: group.title, body: body.join('\n\n') });
    },
  }),
);

builder.relayMutationField(
  'updateModelLinks',
  {
    description:
      'Input of `updateModelLinks`. Fields that are left out keep their values, null removes a link. Templates begin with ' +
      '`https://` and a host without placeholders, and have at most 1,000 characters.',
    inputFields: (t) => ({
      modelCode: t.string({ required: true, description: 'Code of the model.' }),
      sourceUrl: t.string({
        description: 'With `{path}`, and perhaps `{revision}` and `{line}`: see `ModelLinks.sourceUrl`.',
      }),
      sourcePrefixes: t.stringList({
        description:
          'At most 20, of 1 to 500 characters on one line each: `/srv/build/fw/`, `C:\\work\\fw`. Null removes all.',
      }),
      compareUrl: t.string({ description: 'With `{from}` and `{to}`: see `ModelLinks.compareUrl`.' }),
      ticketUrl: t.string({
        description: 'Perhaps with `{title}` and `{body}`: see `ModelLinks.ticketUrl`.',
      }),
      deviceUrl: t.string({
        description:
          'With `{key}`, `{serial}` or `{name}`, and perhaps `{model}`: see `ModelLinks.deviceUrl`.',
      }),
    }),
  },
  {
    description:
      'Sets the links of a model. BAD_USER_INPUT for an address that is not https, has a password or a placeholder that is ' +
      'not known.',
    resolve: (_, { input: { modelCode, ...changes } }, { services }) => {
      const { sourceUrl, sourcePrefixes, compareUrl, ticketUrl, deviceUrl } = changes;
      return services.modelLinks.update(modelCode, {
        ...(sourceUrl === undefined ? {} : { sourceUrl }),
        ...(sourcePrefixes === undefined ? {} : { sourcePrefixes: sourcePrefixes ?? [] }),
        ...(compareUrl === undefined ? {} : { compareUrl }),
        ...(ticketUrl === undefined ? {} : { ticketUrl }),
        ...(deviceUrl === undefined ? {} : { deviceUrl }),
      });
    },
  },
  {
    description: 'Answer of `updateModelLinks`.',
    outputFields: (t) => ({
      deviceModel: t.field({
        type: DeviceModel,
        description: 'The model after the change.',
        resolve: (model) => model,
      }),
    }),
  },
);

/** Inside of `…` in Markdown. */
function inCode(text: string): string {
  return text.replace(/[`\s]+/g, ' ').slice(0, 300);
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
