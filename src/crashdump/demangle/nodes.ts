/** A mangled name as a tree. Substitutions share nodes, so it is a graph without cycles. */
export type Node =
  /** Printed unchanged: a source name, a builtin type, an operator. */
  | { kind: 'text'; text: string }
  | { kind: 'qualified'; scope: Node; name: Node }
  | { kind: 'template'; name: Node; arguments: readonly Node[] }
  | { kind: 'constructor' | 'destructor'; of: Node }
  | { kind: 'conversion'; to: Node }
  | { kind: 'tagged'; name: Node; tag: string }
  /** Something local to a function. */
  | { kind: 'local'; encoding: Node; name: Node }
  | { kind: 'lambda'; parameters: readonly Node[]; number: number }
  | { kind: 'encoding'; name: Node; returnType: Node | null; parameters: readonly Node[] }
  /** A member function's cv- and ref-qualifiers, printed after its parameters. */
  | { kind: 'memberQualified'; name: Node; qualifiers: string }
  | { kind: 'qualifiedType'; type: Node; qualifiers: string }
  /** `*`, `&`, `&&`. */
  | { kind: 'indirection'; to: Node; sign: string }
  | { kind: 'memberPointer'; of: Node; to: Node }
  | { kind: 'functionType'; returnType: Node; parameters: readonly Node[]; qualifiers: string }
  | { kind: 'array'; of: Node; dimension: Node | null }
  | { kind: 'pack'; elements: readonly Node[] }
  | { kind: 'expansion'; of: Node }
  | { kind: 'templateParameter'; index: number; scope: TemplateScope; isInLambda: boolean }
  /** "vtable for " and similar prefixes. */
  | { kind: 'special'; prefix: string; of: Node }
  /** An expression: texts and nodes in order. */
  | { kind: 'sequence'; parts: readonly (Node | string)[] }
  | { kind: 'list'; elements: readonly Node[] };

/** The values of template parameters. Known only after the whole name has been read. */
export interface TemplateScope {
  arguments: readonly Node[] | null;
}

export function text(value: string): Node {
  return { kind: 'text', text: value };
}
