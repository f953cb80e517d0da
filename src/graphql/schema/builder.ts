import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import type { FileUpload } from 'graphql-upload-minimal';
import { hasRole, type Role, refusalOf } from '../../auth/principal.js';
import { getDatamodel } from '../../platform/database/generated/pothos-types.js';
import './audit-mutations.js';
import '../limits/bounded-lists.js';
import { ASSUMED_LIST_LENGTH, FREE } from '../limits/field-costs.js';
import './input-errors.js';
import './node-ids.js';
import './nullable-roots.js';
import type { Context } from './context.js';
import { RELAY } from './relay.js';

/** The builder defines no types: each noun defines its own in its own file. */
export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string | number };
    DateTime: { Input: Date; Output: Date };
    Upload: { Input: Promise<FileUpload>; Output: never };
  };
  /** The role that a field requires, any one of several; an admin has every role. */
  AuthScopes: Record<Role, boolean>;
  Connection: { totalCount: () => number | Promise<number> };
}>({
  // Rules are checked before anything else in a field runs.
  plugins: [
    ScopeAuthPlugin,
    'auditMutations',
    'inputErrors',
    'nodeIds',
    'nullableRoots',
    'boundedLists',
    RelayPlugin,
    PrismaPlugin,
    ComplexityPlugin,
  ],
  defaultFieldNullability: false,
  scopeAuth: {
    authScopes: ({ person }) => ({
      viewer: hasRole(person, 'viewer'),
      uploader: hasRole(person, 'uploader'),
      admin: hasRole(person, 'admin'),
    }),
    unauthorizedError: (_, { person }, { fieldName }) =>
      refusalOf(person, fieldName === 'uploadFirmware' ? 'admins and uploaders' : 'admins'),
    // Also checked when a client subscribes, not only at each event: a subscription that is not allowed fails at once.
    authorizeOnSubscribe: true,
  },
  // `check-operations.ts` counts before anything runs. The plugin's own limit would be checked in each root resolver.
  complexity: { disabled: true, defaultComplexity: 1, defaultListMultiplier: ASSUMED_LIST_LENGTH },
  prisma: {
    client: () => {
      throw new Error('Pothos must not query the database: services and loaders do');
    },
    dmmf: getDatamodel(),
  },
  relay: RELAY,
});

// Closed by default: the rule covers every field of these types, and so everything reachable through them. The
// `authScopes` of a field can only restrict further, because both must pass.
builder.queryType({ description: 'All that can be read. For viewers.', authScopes: { viewer: true } });
builder.mutationType({
  description:
    'All that can be changed. For admins; `uploadFirmware` is for uploaders too, `saveView`, `deleteSavedView` and ' +
    '`decodeCrash` for viewers.',
  authScopes: { admin: true },
});
builder.subscriptionType({
  description: 'All that can be followed. For viewers.',
  authScopes: { viewer: true },
});

builder.globalConnectionField('totalCount', (t) =>
  t.int({
    description:
      'How many items the whole list has, not only this page. Costs one SQL statement, only when selected.',
    complexity: FREE,
    resolve: ({ totalCount }) => totalCount(),
  }),
);
