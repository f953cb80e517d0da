import { builder } from './builder.js';

/** Direction of a list's order. Each list has its own input with its own fields. */
export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'The direction of an order.',
  values: {
    ASC: { description: 'From low to high: the oldest first, or the smallest.' },
    DESC: { description: 'From high to low: the newest first, or the largest.' },
  },
});
