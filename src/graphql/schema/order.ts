import { builder } from './builder.js';

/** Direction of a list's order. Each list has its own input with its own fields. */
export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'The direction of a sorted list.',
  values: {
    ASC: { description: 'Lowest value first: the oldest, the smallest number, A before Z.' },
    DESC: { description: 'Highest value first: the newest, the largest number, Z before A.' },
  },
});
