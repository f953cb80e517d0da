/** Which arguments the template parameters in a name stand for. */
import type { Node } from './nodes.js';

/**
 * What template parameters stand for, innermost first: the arguments of the template whose type is printed, or the
 * parameters of a generic lambda. A substitution may refer to a parameter of another template than where it was first
 * mangled, so this is known only here.
 */
export interface Scope {
  arguments: readonly Node[] | null;
  lambda: readonly string[];
  /** In a constraint: the arguments of all templates of the name, outermost first. */
  levels: readonly (readonly Node[])[];
  outer: Scope | null;
}

/** The parameters of a function made from a template stand for its arguments. */
export function scopeOf(name: Node, outer: Scope | null): Scope | null {
  const last = lastOf(name);
  return last.kind === 'template' ? { arguments: last.arguments, lambda: [], levels: [], outer } : outer;
}

export function argumentOf(
  { index, level }: Extract<Node, { kind: 'templateParameter' }>,
  scope: Scope | null,
): Node | undefined {
  return (scope?.levels[level] ?? scope?.arguments)?.[index];
}

/** The arguments of the templates in a name, outermost first. */
export function templatesOf(name: Node): (readonly Node[])[] {
  const levels: (readonly Node[])[] = [];
  let current: Node | null = name;
  while (current !== null) {
    if (current.kind === 'template') levels.unshift(current.arguments);
    if (current.kind === 'qualified') {
      const inner = templatesOf(current.name);
      levels.unshift(...inner);
      current = current.scope;
    } else current = 'name' in current ? current.name : null;
  }
  return levels;
}

function lastOf(name: Node): Node {
  let last = name;
  while (
    last.kind === 'qualified' ||
    last.kind === 'local' ||
    last.kind === 'memberQualified' ||
    last.kind === 'tagged'
  )
    last = last.name;
  return last;
}

export function isConversion(name: Node): boolean {
  return lastOf(name).kind === 'conversion';
}

/** The name of a function without its parameters. */
export function nameOf(encoding: Node): Node {
  return encoding.kind === 'encoding' ? encoding.name : encoding;
}

export function isMember(encoding: Node): boolean {
  return encoding.kind === 'encoding' && encoding.name.kind === 'qualified';
}

export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'qualified':
      return [node.scope, node.name];
    case 'template':
      return [node.name, ...node.arguments];
    case 'indirection':
      return [node.to];
    case 'memberPointer':
      return [node.of, node.to];
    case 'qualifiedType':
      return [node.type];
    case 'functionType':
      return [node.returnType, ...node.parameters];
    case 'array':
      return node.dimension === null ? [node.of] : [node.of, node.dimension];
    case 'operand':
    case 'addressed':
    case 'callee':
      return [node.of];
    case 'sequence':
    case 'initializers':
    case 'designated':
      return node.parts.filter((part) => typeof part !== 'string');
    case 'list':
      return node.elements;
    default:
      return [];
  }
}
