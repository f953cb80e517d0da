import { hasRole, refusalOf } from '../../auth/principal.js';
import type { ShareLinkRow } from '../../coredumps/share-links.js';
import { notFound } from '../../errors.js';
import { builder } from './builder.js';
import { Coredump } from './coredump.js';
import { present, requireId, rowIdOf } from './inputs.js';
import { page } from './pages.js';

const ShareLink = builder.objectRef<ShareLinkRow>('ShareLink');

builder.node(ShareLink, {
  description:
    'A link that shows one crash to people without an account: the report redacted as for viewers, and nothing else. For ' +
    'admins. The token is shown once, when the link is made.',
  id: { resolve: ({ id }) => id },
  // `node(id:)` is for viewers too, share links are not.
  loadOne: (id, { loaders, person }) => {
    if (!hasRole(person, 'admin')) throw refusalOf(person);
    return loaders.coredumps.shareLinkById.load(rowIdOf(id));
  },
  fields: (t) => ({
    coredump: t.field({
      type: Coredump,
      description: 'The dump of the crash.',
      resolve: async ({ coredumpId }, _, { loaders }) => {
        const dump = await loaders.coredumps.byId.load(coredumpId);
        if (dump === null) throw notFound('core dump', coredumpId);
        return dump;
      },
    }),
    hint: t.exposeString('hint', {
      description: 'The last four characters of its token, by which people recognize it: `x7Qa`.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    createdBy: t.exposeString('createdBy', { description: 'Who made it, named as in the audit log.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it stops showing the crash.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When an admin revoked it. Null: nobody did.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last opened, accurate to a minute. Null: never.',
    }),
  }),
});

const ShareLinkConnection = builder.connectionObject({ type: ShareLink, name: 'ShareLinkConnection' });

builder.objectField(Coredump, 'shareLinks', (t) =>
  t.connection(
    {
      type: ShareLink,
      authScopes: { admin: true },
      description: 'Its share links, the newest first, also those that ended. For admins.',
      resolve: ({ id: parentId }, args, { loaders }) =>
        page(
          args,
          (window) => loaders.coredumps.shareLinks.load({ parentId, window }),
          () => loaders.coredumps.countOfShareLinks.load(parentId),
        ),
    },
    ShareLinkConnection,
  ),
);

builder.relayMutationField(
  'createShareLink',
  {
    description: 'Input of `createShareLink`.',
    inputFields: (t) => ({
      coredumpId: t.id({ required: true, description: 'Global id of the dump.' }),
      expiresInDays: t.int({ defaultValue: 7, description: 'How long it works: 1 to 90 days.' }),
    }),
  },
  {
    description:
      'Makes a link to one crash, for people without an account. It can be revoked. CONFLICT when the crash has 20 links ' +
      'that work.',
    resolve: (_, { input: { coredumpId, expiresInDays } }, { services }) =>
      services.shareLinks.create({
        coredumpId: requireId('Coredump', coredumpId, 'coredumpId'),
        ...present({ expiresInDays }),
      }),
  },
  {
    description: 'Answer of `createShareLink`.',
    outputFields: (t) => ({
      shareLink: t.field({
        type: ShareLink,
        description: 'The new link, without its token.',
        resolve: ({ shareLink }) => shareLink,
      }),
      token: t.exposeString('token', {
        description:
          'Its token, `cds_…`, shown only here. For `GET /api/shared` in the header `Authorization: Bearer`.',
      }),
      url: t.string({
        description:
          'The address to send: `https://coredock.example.org/shared#cds_…`. The path alone where the server does not know ' +
          'its address (`PUBLIC_URL`). What follows "#" never leaves the browser.',
        resolve: ({ token }, _, { services }) =>
          `${services.coredumps.markdownLinks.pageUrl ?? ''}/shared#${token}`,
      }),
    }),
  },
);

builder.relayMutationField(
  'revokeShareLink',
  {
    description: 'Input of `revokeShareLink`.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'Global id of the share link.' }) }),
  },
  {
    description: 'The link stops working at once, on all servers.',
    resolve: (_, { input: { id } }, { services }) => services.shareLinks.revoke(requireId('ShareLink', id)),
  },
  {
    description: 'Answer of `revokeShareLink`.',
    outputFields: (t) => ({
      shareLink: t.field({
        type: ShareLink,
        description: 'The link after the change.',
        resolve: (shareLink) => shareLink,
      }),
    }),
  },
);
