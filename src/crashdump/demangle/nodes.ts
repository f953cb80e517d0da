/** A mangled name as a tree. Substitutions share nodes, so it is a graph without cycles. */
export type Node =
  /** Printed unchanged: a source name, a builtin type, an operator. */
  | { kind: 'text'; text: string }
  | { kind: 'qualified'; scope: Node; name: Node }
  | { kind: 'template'; name: Node; arguments: readonly Node[] }
  | { kind: 'constructor' | 'destructor'; of: Node }
  | { kind: 'conversion'; to: Node }
  | { kind: 'tagged'; name: Node; tag: string }
  /** A module of C++20, and a name that is attached to it. */
  | { kind: 'module'; path: string }
  | { kind: 'inModule'; name: Node; module: string }
  /** Something local to a function. */
  | { kind: 'local'; encoding: Node; name: Node }
  /** Its head, `<typename $T0>`, is empty for most. */
  | {
      kind: 'lambda';
      head: readonly Node[];
      /** The names that its head declares. */
      names: readonly string[];
      constraint: Node | null;
      parameters: readonly Node[];
      number: number;
    }
  | {
      kind: 'encoding';
      name: Node;
      returnType: Node | null;
      parameters: readonly Node[];
      /** `requires` behind the parameters. */
      constraint: Node | null;
    }
  /** A member function's cv- and ref-qualifiers, printed after its parameters. */
  | { kind: 'memberQualified'; name: Node; qualifiers: string }
  | { kind: 'qualifiedType'; type: Node; qualifiers: string }
  /** `*`, `&`, `&&`. */
  | { kind: 'indirection'; to: Node; sign: string }
  | { kind: 'memberPointer'; of: Node; to: Node }
  | {
      kind: 'functionType';
      returnType: Node;
      parameters: readonly Node[];
      qualifiers: string;
      /** `noexcept(…)` or `throw(…)`. */
      exceptions: Node | null;
    }
  | { kind: 'array'; of: Node; dimension: Node | null }
  | { kind: 'pack'; elements: readonly Node[] }
  | { kind: 'expansion'; of: Node }
  /** In constraints, which are not instantiated, parameters have the level of their template, 0 for the outermost. */
  | { kind: 'templateParameter'; index: number; level: number }
  /** "vtable for " and similar prefixes. */
  | { kind: 'special'; prefix: string; of: Node }
  /** An expression: texts and nodes in order. Initializers need no parentheses. */
  | { kind: 'sequence' | 'initializers' | 'designated'; parts: readonly (Node | string)[] }
  /** `typename... $T0`. */
  | { kind: 'packDeclaration'; of: Node }
  /** The parameters of a template parameter: only their kinds. */
  | { kind: 'withoutNames'; of: Node }
  /** Part of a larger expression: in parentheses unless it is a name. */
  | { kind: 'operand'; of: Node }
  /** Functions in expressions are printed without their parameters: `&ns::f`, `f(x)`. */
  | { kind: 'addressed' | 'callee'; of: Node }
  /** `sizeof...(T)`. */
  | { kind: 'packLength'; of: Node }
  /** Not one element of a pack, but the pattern. */
  | { kind: 'packPattern'; of: Node }
  | { kind: 'list'; elements: readonly Node[] };

export function text(value: string): Node {
  return { kind: 'text', text: value };
}

export type Module = Extract<Node, { kind: 'module' }>;
