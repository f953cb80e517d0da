import { hasRole } from '../../auth/principal.js';
import { firstCost } from '../limits/field-costs.js';
import { DEFAULT_PAGE } from '../limits/page-sizes.js';
import { builder } from './builder.js';
import { checkedFilter } from './inputs.js';
import { sizeOf } from './pages.js';

builder.queryField('assigneeSuggestions', (t) =>
  t.stringList({
    description:
      'Names of people for `assignCrashGroup`: whoever asks, then assignees, then whoever did or said something about a ' +
      'group. For admins also whoever is signed in, or did anything that the audit has. Any other name can be assigned, too.',
    complexity: firstCost,
    args: {
      search: t.arg.string({
        description: 'All words must occur in the name, in upper or lower case. At most 200 characters.',
      }),
      first: t.arg.int({ description: 'How many: 20 when left out, at most 200.' }),
    },
    resolve: (_, { search, first }, { services, person }) => {
      const { take } = sizeOf({ first: first ?? DEFAULT_PAGE });
      const { search: words = '' } = checkedFilter({ search });
      const isAdmin = hasRole(person, 'admin');
      return services.crashGroups.people({ search: words, take, self: person.name, isAdmin });
    },
  }),
);
