import type { FieldNode, GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import { CRASH_COLUMNS, LISTED_COLUMNS } from '../../coredumps/listed-dump.js';
import type { CoredumpColumns } from '../../coredumps/types.js';

/** Fields of a dump that need no column but those that every list reads. */
const WITHOUT_COLUMNS = [
  '__typename',
  'device',
  'downloadUrl',
  'rawRemovedAt',
  'parsedOutput',
  'report',
  'markdown',
];
/** Fields of a dump that need only these columns. A new field must be added here to count as one. */
const FIELDS = {
  listed: fieldsOf(LISTED_COLUMNS),
  crash: fieldsOf(CRASH_COLUMNS),
} as const satisfies Partial<Record<CoredumpColumns, ReadonlySet<string>>>;
/** Fields between a page and its dumps, and beside the dumps. */
const PATH_FIELDS = new Set(['nodes', 'edges', 'node']);
const SIBLING_FIELDS = new Set(['__typename', 'cursor', 'pageInfo', 'totalCount']);

type Fragments = GraphQLResolveInfo['fragments'];

/** By selection, because the dumps of many devices are read with the same part of a document. */
const known = new WeakMap<FieldNode, CoredumpColumns>();

/** The columns that the selection of a page needs. */
export function columnsOf({ fieldNodes, fragments }: GraphQLResolveInfo): CoredumpColumns {
  const needed = fieldNodes.map((field) => columnsOfPage(field, fragments));
  if (needed.includes('all')) return 'all';
  return needed.includes('crash') ? 'crash' : 'listed';
}

function columnsOfPage(page: FieldNode, fragments: Fragments): CoredumpColumns {
  const already = known.get(page);
  if (already !== undefined) return already;
  const columns = isWithin(FIELDS.listed) ? 'listed' : isWithin(FIELDS.crash) ? 'crash' : 'all';
  known.set(page, columns);
  return columns;

  function isWithin(fields: ReadonlySet<string>): boolean {
    return holdsForAll(page.selectionSet, fragments, isOnPath);

    function isOnPath({ name, selectionSet }: FieldNode): boolean {
      if (SIBLING_FIELDS.has(name.value)) return true;
      if (!PATH_FIELDS.has(name.value)) return false;
      const isOfDump = (field: FieldNode) => fields.has(field.name.value);
      return holdsForAll(selectionSet, fragments, name.value === 'edges' ? isOnPath : isOfDump);
    }
  }
}

function fieldsOf(columns: readonly string[]): ReadonlySet<string> {
  return new Set([
    ...WITHOUT_COLUMNS,
    ...columns.filter((column) => column !== 'deviceId' && column !== 'firmwareId'),
  ]);
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
