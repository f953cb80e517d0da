import { hasRole } from '../../auth/principal.js';
import { encodeGlobalId } from '../../global-ids.js';
import { isOwn, MOST_VIEWS, type SavedViewRow } from '../../saved-views/service.js';
import { builder } from './builder.js';
import { requireId, rowIdOf } from './inputs.js';

const SavedView = builder.objectRef<SavedViewRow>('SavedView');

builder.node(SavedView, {
  description: 'A list of the page with its filters, which a person named for everybody.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.savedViews.byId.load(rowIdOf(id)),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique: 1 to 100 characters on one line.' }),
    address: t.exposeString('address', {
      description: 'Where the list is on the page, without the server: `/groups?state=open&version=1.4.0`.',
    }),
    createdBy: t.exposeString('createdBy', { description: 'Who saved it, named as in the audit log.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was last saved.' }),
    canDelete: t.boolean({
      description: 'Whether the person who asks may delete it: their own views; an admin any.',
      resolve: (view, _, { person }) => hasRole(person, 'admin') || isOwn(person, view),
    }),
  }),
});

builder.queryField('savedViews', (t) =>
  t.field({
    type: [SavedView],
    description: `All saved views by name: at most ${MOST_VIEWS}.`,
    complexity: { field: 1, multiplier: MOST_VIEWS },
    resolve: (_, __, { services }) => services.savedViews.list(),
  }),
);

builder.relayMutationField(
  'saveView',
  {
    description: 'Input of `saveView`.',
    inputFields: (t) => ({
      name: t.string({
        required: true,
        description: 'For people: 1 to 100 characters on one line. `Open on 1.4`.',
      }),
      address: t.string({
        required: true,
        description:
          'Of a list on the page, without the server: `/groups?state=open`. Lists are `/groups`, `/dumps` and `/devices`.',
      }),
    }),
  },
  {
    description:
      'Saves a list with its filters for everybody. For viewers too. A person’s own view of that name is replaced; CONFLICT ' +
      'when the name is another person’s.',
    skipTypeScopes: true,
    authScopes: { viewer: true },
    resolve: (_, { input: { name, address } }, { services, person }) =>
      services.savedViews.save(person, { name, address }),
  },
  {
    description: 'Answer of `saveView`.',
    outputFields: (t) => ({
      savedView: t.field({ type: SavedView, description: 'The view.', resolve: (view) => view }),
    }),
  },
);

builder.relayMutationField(
  'deleteSavedView',
  {
    description: 'Input of `deleteSavedView`.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'Global id of the view.' }) }),
  },
  {
    description: 'Deletes a saved view. Viewers delete their own; FORBIDDEN for those of others.',
    skipTypeScopes: true,
    authScopes: { viewer: true },
    resolve: (_, { input: { id } }, { services, person }) =>
      services.savedViews.delete(person, requireId('SavedView', id)),
  },
  {
    description: 'Answer of `deleteSavedView`.',
    outputFields: (t) => ({
      deletedSavedViewId: t.id({
        description: 'Global id of the view that is gone.',
        resolve: ({ id }) => encodeGlobalId('SavedView', id),
      }),
    }),
  },
);
