import type { FieldNode, GraphQLResolveInfo, SelectionSetNode } from 'graphql';

type Fragments = GraphQLResolveInfo['fragments'];

/** By selection, because many lists use the same part of a document. */
const fieldsOf = new WeakMap<FieldNode, number>();
const copiesOf = new WeakMap<FieldNode, number>();

/** Number of fields in the answer for one value of the selected field. Nested lists and objects count once. */
export function fieldsOfEach({ fieldNodes, fragments }: GraphQLResolveInfo): number {
  return remembered(fieldsOf, fieldNodes, () => {
    let fields = 0;
    for (const { selectionSet } of fieldNodes) {
      for (const field of fieldsIn(selectionSet, fragments)) fields += 1 + below(field);
    }
    return Math.max(1, fields);
  });

  function below({ selectionSet }: FieldNode): number {
    let fields = 0;
    for (const field of fieldsIn(selectionSet, fragments)) fields += 1 + below(field);
    return fields;
  }
}

/** How often a part of the field's value can occur in the answer at most, under different aliases. */
export function copiesOfParts({ fieldNodes, fragments }: GraphQLResolveInfo): number {
  return remembered(copiesOf, fieldNodes, () => copies(fieldNodes));

  function copies(nodes: readonly FieldNode[]): number {
    const byName = new Map<string, Map<string, FieldNode[]>>();
    for (const field of nodes.flatMap(({ selectionSet }) => [...fieldsIn(selectionSet, fragments)])) {
      const name = field.name.value;
      const key = field.alias?.value ?? name;
      const keys = byName.get(name) ?? new Map<string, FieldNode[]>();
      byName.set(name, keys.set(key, [...(keys.get(key) ?? []), field]));
    }
    let most = 1;
    for (const keys of byName.values()) {
      let sum = 0;
      for (const same of keys.values()) sum += copies(same);
      most = Math.max(most, sum);
    }
    return most;
  }
}

/** Whether the document asks for a field of this name anywhere below the selected one. */
export function selectsBelow({ fieldNodes, fragments }: GraphQLResolveInfo, name: string): boolean {
  const isBelow = ({ selectionSet }: FieldNode): boolean => {
    for (const field of fieldsIn(selectionSet, fragments)) {
      if (field.name.value === name || isBelow(field)) return true;
    }
    return false;
  };
  return fieldNodes.some(isBelow);
}

function remembered(
  known: WeakMap<FieldNode, number>,
  fieldNodes: readonly FieldNode[],
  work: () => number,
): number {
  const [first] = fieldNodes;
  if (first === undefined || fieldNodes.length > 1) return work();
  const already = known.get(first);
  if (already !== undefined) return already;
  const found = work();
  known.set(first, found);
  return found;
}

/** Expands fragments; `query-cost.ts` has refused fragments that contain themselves. */
function* fieldsIn(selectionSet: SelectionSetNode | undefined, fragments: Fragments): Generator<FieldNode> {
  for (const selection of selectionSet?.selections ?? []) {
    if (selection.kind === 'Field') yield selection;
    else {
      const inner = selection.kind === 'InlineFragment' ? selection : fragments[selection.name.value];
      yield* fieldsIn(inner?.selectionSet, fragments);
    }
  }
}
