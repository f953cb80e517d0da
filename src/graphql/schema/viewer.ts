import { hasRole, type Person } from '../../auth/principal.js';
import { builder } from './builder.js';

const ViewerRole = builder.enumType('ViewerRole', {
  description:
    'What a person or program may do. Values may be added: treat one that you do not know as VIEWER.',
  values: {
    VIEWER: { description: 'Reads everything but memory contents, the audit log and restricted raw dumps.' },
    ADMIN: { description: 'Reads and changes everything.' },
  },
});

const ROLES: Record<Person['kind'], typeof ViewerRole.$inferType> = { viewer: 'VIEWER', admin: 'ADMIN' };

const Viewer = builder.objectRef<Person>('Viewer').implement({
  description: 'The person or program that sends the request, as the server sees it.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description:
        'As in the audit log: the name in the issuer’s token, or `token` and the first digits of a static token’s ' +
        'digest; `anybody` while authentication is off.',
    }),
    role: t.field({
      type: ViewerRole,
      description: 'Its role; ADMIN while authentication is off.',
      resolve: ({ kind }) => ROLES[kind],
    }),
    canMutate: t.boolean({
      description: 'Whether it may use mutations. Ask for this instead of comparing roles.',
      resolve: (person) => hasRole(person, 'admin'),
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the server stops accepting its credentials, which is some seconds after a token’s own end. Get new ones ' +
        'before. Null: never.',
      resolve: ({ until }) => until,
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'Who sends this request, and what it may do.',
    resolve: (_, __, { person }) => person,
  }),
);
