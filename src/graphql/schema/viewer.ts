import { hasRole, type Person } from '../../auth/principal.js';
import { builder } from './builder.js';

const ViewerRole = builder.enumType('ViewerRole', {
  description:
    'What a person or program may do. Values may be added: treat one that you do not know as VIEWER.',
  values: {
    VIEWER: { description: 'Reads everything but memory contents, the audit log and restricted raw dumps.' },
    UPLOADER: { description: 'Uploads firmware by `uploadFirmware`, and reads nothing but its answer.' },
    ADMIN: { description: 'Reads and changes everything.' },
  },
});

const ROLES: Record<Person['kind'], typeof ViewerRole.$inferType> = {
  viewer: 'VIEWER',
  uploader: 'UPLOADER',
  admin: 'ADMIN',
};

const Viewer = builder.objectRef<Person>('Viewer').implement({
  description: 'The person or program that sends the request, as the server sees it.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description:
        'As in the audit log: the name in the issuer’s token, or `token` and the first digits of a static token’s ' +
        'digest; repository, ref and run of a CI job; `anybody` while authentication is off.',
    }),
    role: t.field({
      type: ViewerRole,
      description: 'Its role; ADMIN while authentication is off.',
      resolve: ({ kind }) => ROLES[kind],
    }),
    canMutate: t.boolean({
      description:
        'Whether it may use every mutation. Ask for this instead of comparing roles. False for an uploader, which has one.',
      resolve: (person) => hasRole(person, 'admin'),
    }),
    firmwareModels: t.stringList({
      nullable: true,
      description:
        'Codes of the models whose firmware it may upload: none for a viewer, those of its settings for a CI job. Null: all.',
      resolve: (person) => (person.kind === 'viewer' ? [] : (person.models ?? null)),
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
    // An uploader, who may read nothing else, learns by it whether its token works.
    skipTypeScopes: true,
    authScopes: { viewer: true, uploader: true },
    description: 'Who sends this request, and what it may do.',
    resolve: (_, __, { person }) => person,
  }),
);
