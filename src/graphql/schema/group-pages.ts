import type { GroupWindow } from '../../crash-groups/queries.js';
import type { CrashGroupRow, GroupOrder, GroupOrderField } from '../../crash-groups/types.js';
import { builder } from './builder.js';
import { OrderDirection } from './order.js';
import { byNumber, byReal, byTime, type OrderFields, orderedPage } from './ordered-pages.js';
import type { PageArguments } from './pages.js';

const CrashGroupOrderField = builder.enumType('CrashGroupOrderField', {
  description: 'What crash groups can be sorted by. Values may be added.',
  values: {
    COUNT: { description: 'Crashes ever counted.' },
    DEVICE_COUNT: { description: 'Devices ever affected.' },
    LAST_SEEN_AT: { description: 'Time of the last crash.' },
    FIRST_SEEN_AT: { description: 'Time of the first crash: newly found bugs.' },
    VELOCITY: { description: 'Crashes a day, recent ones counting most: what is bad right now.' },
  } satisfies Record<GroupOrderField, object>,
});

export const CrashGroupOrder = builder.inputType('CrashGroupOrder', {
  description:
    'How a list of crash groups is sorted, e.g. `{ field: LAST_SEEN_AT }`. Groups with equal values are sorted by id.',
  fields: (t) => ({
    field: t.field({
      type: CrashGroupOrderField,
      required: true,
      description: 'The value that the list is sorted by.',
    }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'The highest or latest first when left out.',
    }),
  }),
});

/** Of the argument `orderBy`. */
export const ORDERED_BY = 'How the list is sorted; by `COUNT`, the highest first, when left out.';

const DEFAULT_ORDER: GroupOrder = { field: 'COUNT', direction: 'DESC' };

const ORDER_FIELDS: OrderFields<CrashGroupRow, GroupOrderField> = {
  COUNT: byNumber(({ count }) => count),
  DEVICE_COUNT: byNumber(({ deviceCount }) => deviceCount),
  LAST_SEEN_AT: byTime(({ lastSeenAt }) => lastSeenAt),
  FIRST_SEEN_AT: byTime(({ firstSeenAt }) => firstSeenAt),
  VELOCITY: byReal(({ heat }) => heat),
};

/** One page of groups as a Relay connection: `orderedPage` with the orders of groups. */
export function groupPage(
  { orderBy, ...args }: PageArguments & { orderBy?: GroupOrder | null | undefined },
  list: (window: GroupWindow) => Promise<CrashGroupRow[]>,
  totalCount: () => number | Promise<number>,
) {
  return orderedPage({ ...args, orderBy: orderBy ?? DEFAULT_ORDER }, ORDER_FIELDS, list, totalCount);
}
