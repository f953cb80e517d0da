import type { FieldNode, GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import { LISTED_COLUMNS } from '../../coredumps/listed-dump.js';
import type { CoredumpColumns } from '../../coredumps/types.js';

/** Fields of a dump that need only the columns that lists read. A new field must be added here to count as one. */
const LISTED = new Set<string>([
  ...LISTED_COLUMNS.filter((column) => column !== 'deviceId'),
  ...['__typename', 'device', 'downloadUrl', 'rawRemovedAt', 'parsedOutput', 'report'],
]);
/** Fields between a page and its dumps, and beside the dumps. */
const PATH_FIELDS = new Set(['nodes', 'edges', 'node']);
const SIBLING_FIELDS = new Set(['__typename', 'cursor', 'pageInfo', 'totalCount']);

type Fragments = GraphQLResolveInfo['fragments'];

/** By selection, because the dumps of many devices are read with the same part of a document. */
const known = new WeakMap<FieldNode, boolean>();

/** The columns that the selection of a page needs. */
export function columnsOf({ fieldNodes, fragments }: GraphQLResolveInfo): CoredumpColumns {
  return fieldNodes.every((field) => isListed(field, fragments)) ? 'listed' : 'all';
}

function isListed(page: FieldNode, fragments: Fragments): boolean {
  const already = known.get(page);
  if (already !== undefined) return already;
  const isOnly = holdsForAll(page.selectionSet, fragments, isOnPath);
  known.set(page, isOnly);
  return isOnly;

  function isOnPath({ name, selectionSet }: FieldNode): boolean {
    if (SIBLING_FIELDS.has(name.value)) return true;
    if (!PATH_FIELDS.has(name.value)) return false;
    return holdsForAll(selectionSet, fragments, name.value === 'edges' ? isOnPath : isOfList);
  }
}

function isOfList({ name }: FieldNode): boolean {
  return LISTED.has(name.value);
}

/** Names of the selected fields, including those in fragments but not those of nested selections. */
function holdsForAll(
  selectionSet: SelectionSetNode | undefined,
  fragments: Fragments,
  holds: (field: FieldNode) => boolean,
): boolean {
  return (selectionSet?.selections ?? []).every((selection) => {
    if (selection.kind === 'Field') return holds(selection);
    const inner = selection.kind === 'InlineFragment' ? selection : fragments[selection.name.value];
    return holdsForAll(inner?.selectionSet, fragments, holds);
  });
}
