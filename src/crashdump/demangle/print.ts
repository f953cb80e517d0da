import type { Node } from './nodes.js';
import {
  argumentOf,
  childrenOf,
  isConversion,
  isMember,
  nameOf,
  type Scope,
  scopeOf,
  templatesOf,
} from './scopes.js';

/** Substitutions may double a name with each step; names that a person can read are far shorter. */
const MAX_PRINTED_LENGTH = 64 * 1024;
const MAX_DEPTH = 256;

/** Too long, or with a parameter of an unknown template. */
class Unprintable extends Error {}

/** The whole declaration; null when it is too large to be a name. */
export function printEncoding(encoding: Node): string | null {
  return bounded(() => new Printer().print(encoding));
}

/** The name of a function alone. */
export function printFunctionName(encoding: Node): string | null {
  return bounded(() => new Printer().functionName(encoding));
}

function bounded(print: () => string): string | null {
  try {
    return print();
  } catch (error) {
    if (error instanceof Unprintable) return null;
    throw error;
  }
}

/** A declarator grows around its name: a part before it, and a part after it. */
interface Declarator {
  left: string;
  right: string;
}

type Of<Kind extends Node['kind']> = Extract<Node, { kind: Kind }>;
type Declared = Of<
  'functionType' | 'array' | 'indirection' | 'memberPointer' | 'qualifiedType' | 'templateParameter'
>;

class Printer {
  #printed = 0;
  #depth = 0;
  #scope: Scope | null = null;
  /** Index of the current element of the packs, inside an expansion. */
  #packIndex: number | null = null;

  functionName(node: Node): string {
    if (node.kind === 'encoding') return this.functionName(node.name);
    return node.kind === 'memberQualified' ? this.functionName(node.name) : this.print(node);
  }

  print(node: Node): string {
    const { left, right } = this.#declarator(node);
    return left + right;
  }

  #declarator(node: Node): Declarator {
    if (++this.#depth > MAX_DEPTH) throw new Unprintable();
    const result = this.#anyDeclarator(node);
    this.#depth--;
    this.#printed += result.left.length + result.right.length;
    if (this.#printed > MAX_PRINTED_LENGTH * 4 || result.left.length > MAX_PRINTED_LENGTH)
      throw new Unprintable();
    return result;
  }

  #anyDeclarator(node: Node): Declarator {
    switch (node.kind) {
      case 'functionType': {
        const { left, right } = this.#declarator(node.returnType);
        const exceptions = node.exceptions === null ? '' : this.print(node.exceptions);
        const call = `(${this.#list(node.parameters)})${node.qualifiers}${exceptions}`;
        return { left: `${left} `, right: call + right };
      }
      case 'array': {
        const { left, right } = this.#declarator(node.of);
        const dimension = node.dimension === null ? '' : this.print(node.dimension);
        return { left: `${left} `, right: `[${dimension}]${right.trimStart()}` };
      }
      case 'indirection':
        return this.#indirection(node);
      case 'memberPointer':
        return this.#around(node.to, `${this.print(node.of)}::*`);
      case 'qualifiedType':
        return this.#qualifiedType(node.type, node.qualifiers);
      case 'templateParameter':
        return this.#templateParameter(node);
      default:
        return { left: this.#plain(node), right: '' };
    }
  }

  #plain(node: Exclude<Node, Declared>): string {
    switch (node.kind) {
      case 'text':
        return node.text;
      case 'qualified':
        return `${this.print(node.scope)}::${this.print(node.name)}`;
      case 'template':
        return this.#template(node);
      case 'constructor':
        return this.print(node.of);
      case 'destructor':
        return `~${this.print(node.of)}`;
      case 'conversion':
        return `operator ${this.print(node.to)}`;
      case 'tagged':
        return `${this.print(node.name)}[abi:${node.tag}]`;
      case 'module':
        return node.path;
      case 'inModule':
        return `${this.print(node.name)}@${node.module}`;
      case 'local':
        return `${this.#withoutReturnType(node.encoding)}::${this.print(node.name)}`;
      case 'lambda':
        return this.#lambda(node);
      case 'encoding':
        return this.#encoding(node);
      case 'memberQualified':
        return `${this.print(node.name)}${node.qualifiers}`;
      case 'pack':
        return this.#list(node.elements);
      case 'expansion':
        return this.#expansion(node.of);
      case 'special':
        return node.prefix + this.print(node.of);
      case 'operand':
        return this.#operand(node.of);
      case 'addressed':
        return this.#operand(isMember(node.of) ? nameOf(node.of) : node.of);
      case 'callee':
        return this.#operand(nameOf(node.of));
      case 'packLength':
        return this.#packLength(node.of);
      case 'packPattern':
        return this.#asPattern(node.of);
      case 'withoutNames':
        return this.print(node.of).replace(/ \$[A-Z]+\d+/g, '');
      case 'packDeclaration':
        return this.print(node.of).replace(/ ([^ ]*)$/, '... $1');
      case 'sequence':
      case 'initializers':
      case 'designated':
        return node.parts.map((part) => (typeof part === 'string' ? part : this.print(part))).join('');
      case 'list':
        return this.#list(node.elements);
    }
  }

  #list(nodes: readonly Node[]): string {
    return nodes
      .map((node) => this.print(node))
      .filter((printed) => printed !== '')
      .join(', ');
  }

  #encoding(node: Of<'encoding'>): string {
    const { name, qualifiers } =
      node.name.kind === 'memberQualified' ? node.name : { name: node.name, qualifiers: '' };
    const printedName = this.print(name);
    const requires = node.constraint === null ? '' : this.#constraint(name, node.constraint);
    return this.#within(scopeOf(name, this.#scope), () => {
      const call = `${printedName}(${this.#list(node.parameters)})${qualifiers}${requires}`;
      if (node.returnType === null) return call;
      const { left, right } = this.#declarator(node.returnType);
      return right === '' ? `${left} ${call}` : `${left}${call}${right}`;
    });
  }

  #constraint(name: Node, constraint: Node): string {
    const outer = this.#scope;
    const levels = templatesOf(name);
    const scope = { arguments: levels.at(-1) ?? [], lambda: [], levels, outer };
    return this.#within(scope, () => ` requires ${this.print(constraint)}`);
  }

  #within<T>(scope: Scope | null, print: () => T): T {
    const outer = this.#scope;
    const packIndex = this.#packIndex;
    this.#scope = scope;
    if (scope !== outer) this.#packIndex = null;
    const result = print();
    this.#scope = outer;
    this.#packIndex = packIndex;
    return result;
  }

  #lambda({ head, names, constraint, parameters, number }: Of<'lambda'>): string {
    return this.#within({ arguments: null, lambda: names, levels: [], outer: this.#scope }, () => {
      const heads = head.length === 0 ? '' : `<${this.#list(head)}>`;
      const requires = constraint === null ? '' : ` requires ${this.print(constraint)} `;
      return `{lambda${heads}${requires}(${this.#list(parameters)})#${number}}`;
    });
  }

  #operand(of: Node): string {
    const isSimple = of.kind === 'text' || of.kind === 'qualified' || of.kind === 'initializers';
    return isSimple ? this.print(of) : `(${this.print(of)})`;
  }

  #withoutReturnType(encoding: Node): string {
    return encoding.kind === 'encoding'
      ? this.#encoding({ ...encoding, returnType: null })
      : this.print(encoding);
  }

  #template({ name, arguments: args }: Of<'template'>): string {
    // The type of a conversion operator may be a parameter of its own template.
    const scope = isConversion(name)
      ? { arguments: args, lambda: [], levels: [], outer: this.#scope }
      : this.#scope;
    const printedName = this.#within(scope, () => this.print(name));
    const open = printedName.endsWith('<') ? ' <' : '<';
    const printed = args.map((argument) => this.print(argument));
    // `> >` as before C++11; GNU tools write `>>` where an empty pack comes last.
    const gap = printed.at(-1)?.endsWith('>') ? ' ' : '';
    return `${printedName}${open}${printed.filter((argument) => argument !== '').join(', ')}${gap}>`;
  }

  /** References to references collapse (C++ §9.3.3.2): `&` wins. */
  #indirection(node: Of<'indirection'>): Declarator {
    let { to, sign } = node;
    let scope = this.#scope;
    while (sign !== '*') {
      const target = this.#resolved(to, scope);
      if (target.node.kind !== 'indirection' || target.node.sign === '*') break;
      sign = sign === '&' || target.node.sign === '&' ? '&' : '&&';
      ({ to } = target.node);
      ({ scope } = target);
    }
    return this.#within(scope, () => this.#around(to, sign));
  }

  /** `int (*)(char)`: pointers and references to functions and arrays need parentheses. */
  #around(inner: Node, sign: string): Declarator {
    const { left, right } = this.#declarator(inner);
    const isClass = sign.endsWith('::*');
    if (needsParentheses(right, left))
      return { left: `${left}(${sign}`, right: `)${right.startsWith('[') ? ' ' : ''}${right}` };
    return { left: `${left}${isClass && !left.endsWith('(') ? ' ' : ''}${sign}`, right };
  }

  #qualifiedType(type: Node, qualifiers: string): Declarator {
    const { left, right } = this.#declarator(type);
    const { node } = this.#resolved(type, this.#scope);
    if (node.kind === 'array') return { left: `${left.trimEnd()}${qualifiers} `, right };
    if (node.kind === 'functionType') return { left, right: right + qualifiers };
    // `T const` where T is const already.
    const added = node.kind === 'qualifiedType' && node.qualifiers === qualifiers ? '' : qualifiers;
    return { left: left + added, right };
  }

  /** What a template parameter stands for, and the scope of that. */
  #resolved(node: Node, scope: Scope | null): { node: Node; scope: Scope | null } {
    let current = { node, scope };
    for (let steps = 0; steps < MAX_DEPTH; steps++) {
      if (current.node.kind !== 'templateParameter') return current;
      const argument = this.#argument(current.node, current.scope);
      if (argument === null) return current;
      current = { node: argument, scope: current.scope?.outer ?? null };
    }
    throw new Unprintable();
  }

  #argument(parameter: Of<'templateParameter'>, scope: Scope | null): Node | null {
    const argument = argumentOf(parameter, scope);
    if (argument === undefined) return null;
    if (argument.kind !== 'pack' || this.#packIndex === null) return argument;
    return argument.elements[this.#packIndex] ?? { kind: 'text', text: '' };
  }

  #templateParameter(parameter: Of<'templateParameter'>): Declarator {
    const scope = this.#scope;
    const { index } = parameter;
    const argument = this.#argument(parameter, scope);
    if (argument !== null) return this.#within(scope?.outer ?? null, () => this.#declarator(argument));
    if (scope === null || scope.arguments !== null) throw new Unprintable();
    return { left: scope.lambda[index] ?? `auto:${index + 1}`, right: '' };
  }

  /** One copy of the pattern for every element of the pack in it. */
  #expansion(pattern: Node): string {
    const pack = this.#packIn(pattern, 0);
    if (pack === null) return `${this.#operand(pattern)}...`;
    const outer = this.#packIndex;
    const copies = pack.map((_, index) => {
      this.#packIndex = index;
      return this.print(pattern);
    });
    this.#packIndex = outer;
    return copies.filter((copy) => copy !== '').join(', ');
  }

  #packLength(of: Node): string {
    const pack = this.#packIn(of, 0);
    return pack === null ? `sizeof...(${this.print(of)})` : String(pack.length);
  }

  #asPattern(of: Node): string {
    const outer = this.#packIndex;
    this.#packIndex = null;
    const pattern = this.print(of);
    this.#packIndex = outer;
    return pattern;
  }

  #packIn(node: Node, depth: number): readonly Node[] | null {
    if (depth > MAX_DEPTH || ++this.#printed > MAX_PRINTED_LENGTH * 4) throw new Unprintable();
    if (node.kind === 'templateParameter') {
      const argument = argumentOf(node, this.#scope);
      return argument?.kind === 'pack' ? argument.elements : null;
    }
    for (const child of childrenOf(node)) {
      const pack = this.#packIn(child, depth + 1);
      if (pack !== null) return pack;
    }
    return null;
  }
}

function needsParentheses(right: string, left: string): boolean {
  return (right.startsWith('(') || right.startsWith('[')) && left.endsWith(' ');
}
