import { builder } from './builder.js';

/** The direction of every `orderBy`. */
export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'The direction in which a list is sorted.',
  values: {
    ASC: { description: 'The lowest, earliest or first in the alphabet first.' },
    DESC: { description: 'The highest, latest or last in the alphabet first.' },
  } as const,
});
