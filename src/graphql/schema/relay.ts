import { COUNTED_ABOVE, connectionCost, FREE, idsCost } from '../limits/field-costs.js';

/**
 * Options of Pothos' Relay plugin: the shape of nodes, connections and mutations, and the descriptions of the parts that
 * the plugin makes.
 */
export const RELAY = {
  // Every input has at least one field, also where a mutation needs none.
  clientMutationId: 'optional',
  clientMutationIdInputOptions: { description: 'Any text of the client. The payload repeats it.' },
  clientMutationIdFieldOptions: { description: 'The text in the input.' },
  mutationInputArgOptions: { required: true, description: 'All that the mutation needs.' },
  defaultMutationInputTypeOptions: { description: 'The input of the mutation of the same name.' },
  defaultPayloadTypeOptions: { description: 'The answer to the mutation of the same name.' },

  // The items of a page are counted with the field of the connection, whose arguments say how many there are.
  defaultConnectionFieldOptions: { complexity: connectionCost },
  nodesOnConnection: {
    description: 'The items of the page, without their cursors.',
    complexity: COUNTED_ABOVE,
  },
  edgesFieldOptions: {
    nullable: { list: false, items: false },
    description: 'The items of the page, each with its cursor.',
    complexity: COUNTED_ABOVE,
  },
  nodeFieldOptions: { nullable: false, description: 'The item.' },
  cursorFieldOptions: {
    description:
      'The position of the item in this list: for `after` and `before`. Opaque, and valid as long as the list has the same order.',
  },
  pageInfoFieldOptions: {
    description: 'Whether there are more pages, and how to ask for them.',
    complexity: FREE,
  },
  pageInfoTypeOptions: { description: 'Where a page begins and ends.' },
  hasNextPageFieldOptions: { description: 'Whether items follow this page.' },
  hasPreviousPageFieldOptions: { description: 'Whether items precede this page.' },
  startCursorFieldOptions: { description: 'Cursor of the first item; null when the page is empty.' },
  endCursorFieldOptions: {
    description: 'Cursor of the last item, for `after`; null when the page is empty.',
  },
  firstArgOptions: { description: 'How many items, from the beginning: 20 when left out, at most 200.' },
  afterArgOptions: { description: 'Only items behind this cursor.' },
  lastArgOptions: { description: 'How many items, from the end. Not together with `first`.' },
  beforeArgOptions: { description: 'Only items before this cursor.' },
  defaultConnectionTypeOptions: {
    description: 'One page of a list, as in the Relay Cursor Connections Specification.',
  },
  defaultEdgeTypeOptions: { description: 'One item of a page.' },

  nodeTypeOptions: { description: 'Everything that has a global id.' },
  idFieldOptions: {
    description:
      'Global id: unique over all types, and the same as long as the object exists. Opaque; `node(id:)` finds the object.',
  },
  nodeQueryOptions: {
    nullable: true,
    description: 'The object with this global id, of whatever type; null when there is none.',
    args: { id: { description: 'A global id.' } },
  },
  nodesQueryOptions: {
    nullable: { list: false, items: true },
    complexity: idsCost,
    description:
      'The objects with these global ids, in the same order; null for each that does not exist. One SQL statement for ' +
      'each type among them.',
    args: { ids: { description: 'Global ids, also of different types: 200 at most.' } },
  },
} as const;
