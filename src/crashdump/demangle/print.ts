import type { Node } from './nodes.js';

/** Substitutions may double a name with each step; names that a person can read are far shorter. */
const MAX_PRINTED_LENGTH = 64 * 1024;
const MAX_DEPTH = 256;

class Overflow extends Error {}

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
    if (error instanceof Overflow) return null;
    throw error;
  }
}

/** A declarator grows around its name: a part before it, and a part after it. */
interface Declarator {
  left: string;
  right: string;
}

class Printer {
  #printed = 0;
  #depth = 0;
  /** Index of the current element of the packs, inside an expansion. */
  #packIndex: number | null = null;

  functionName(node: Node): string {
    if (node.kind === 'encoding') return this.functionName(node.name);
    return node.kind === 'memberQualified' ? this.functionName(node.name) : this.print(node);
  }

  print(node: Node): string {
    const { left, right } = this.declarator(node);
    return left + right;
  }

  declarator(node: Node): Declarator {
    if (++this.#depth > MAX_DEPTH) throw new Overflow();
    const result = this.#declarator(node);
    this.#depth--;
    this.#printed += result.left.length + result.right.length;
    if (this.#printed > MAX_PRINTED_LENGTH * 4 || result.left.length > MAX_PRINTED_LENGTH)
      throw new Overflow();
    return result;
  }

  #declarator(node: Node): Declarator {
    switch (node.kind) {
      case 'functionType': {
        const { left, right } = this.declarator(node.returnType);
        return { left: `${left} `, right: `(${this.list(node.parameters)})${node.qualifiers}${right}` };
      }
      case 'array': {
        const { left, right } = this.declarator(node.of);
        const dimension = node.dimension === null ? '' : this.print(node.dimension);
        return { left: `${left} `, right: `[${dimension}]${right.trimStart()}` };
      }
      case 'indirection':
        return this.#indirection(this.#collapsed(node));
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

  #plain(
    node: Exclude<
      Node,
      {
        kind:
          | 'functionType'
          | 'array'
          | 'indirection'
          | 'memberPointer'
          | 'qualifiedType'
          | 'templateParameter';
      }
    >,
  ): string {
    switch (node.kind) {
      case 'text':
        return node.text;
      case 'qualified':
        return `${this.print(node.scope)}::${this.print(node.name)}`;
      case 'template':
        return this.#template(node.name, node.arguments);
      case 'constructor':
        return this.print(node.of);
      case 'destructor':
        return `~${this.print(node.of)}`;
      case 'conversion':
        return `operator ${this.print(node.to)}`;
      case 'tagged':
        return `${this.print(node.name)}[abi:${node.tag}]`;
      case 'local':
        return `${this.#withoutReturnType(node.encoding)}::${this.print(node.name)}`;
      case 'lambda':
        return `{lambda(${this.list(node.parameters)})#${node.number}}`;
      case 'encoding':
        return this.#encoding(node);
      case 'memberQualified':
        return `${this.print(node.name)}${node.qualifiers}`;
      case 'pack':
        return this.#pack(node.elements);
      case 'expansion':
        return this.#expansion(node.of);
      case 'special':
        return node.prefix + this.print(node.of);
      case 'sequence':
        return node.parts.map((part) => (typeof part === 'string' ? part : this.print(part))).join('');
      case 'list':
        return this.list(node.elements);
    }
  }

  list(nodes: readonly Node[]): string {
    return nodes
      .map((node) => this.print(node))
      .filter((printed) => printed !== '')
      .join(', ');
  }

  #encoding(node: Extract<Node, { kind: 'encoding' }>): string {
    const { name, qualifiers } =
      node.name.kind === 'memberQualified' ? node.name : { name: node.name, qualifiers: '' };
    const call = `${this.print(name)}(${this.list(node.parameters)})${qualifiers}`;
    if (node.returnType === null) return call;
    const { left, right } = this.declarator(node.returnType);
    return right === '' ? `${left} ${call}` : `${left}${call}${right}`;
  }

  #withoutReturnType(encoding: Node): string {
    return encoding.kind === 'encoding'
      ? this.#encoding({ ...encoding, returnType: null })
      : this.print(encoding);
  }

  #template(name: Node, args: readonly Node[]): string {
    const printedName = this.print(name);
    const open = printedName.endsWith('<') ? ' <' : '<';
    const printed = args.map((argument) => this.print(argument));
    // `> >` as before C++11; GNU tools write `>>` where an empty pack comes last.
    const gap = printed.at(-1)?.endsWith('>') ? ' ' : '';
    return `${printedName}${open}${printed.filter((argument) => argument !== '').join(', ')}${gap}>`;
  }

  #indirection({ to, sign }: { to: Node; sign: string }): Declarator {
    return this.#around(to, sign);
  }

  /** `int (*)(char)`: pointers and references to functions and arrays need parentheses. */
  #around(inner: Node, sign: string): Declarator {
    const { left, right } = this.declarator(inner);
    const isClass = sign.endsWith('::*');
    if (needsParentheses(right, left))
      return { left: `${left}(${sign}`, right: `)${right.startsWith('[') ? ' ' : ''}${right}` };
    return { left: `${left}${isClass && !left.endsWith('(') ? ' ' : ''}${sign}`, right };
  }

  #qualifiedType(type: Node, qualifiers: string): Declarator {
    const { left, right } = this.declarator(type);
    if (type.kind === 'array') return { left: `${left.trimEnd()}${qualifiers} `, right };
    return type.kind === 'functionType'
      ? { left, right: right + qualifiers }
      : { left: left + qualifiers, right };
  }

  /** References to references collapse (C++ §9.3.3.2): `&` wins. */
  #collapsed(node: Extract<Node, { kind: 'indirection' }>): { to: Node; sign: string } {
    let { to, sign } = node;
    for (let target = this.#resolved(to); sign !== '*'; target = this.#resolved(to)) {
      if (target.kind !== 'indirection' || target.sign === '*') break;
      sign = sign === '&' || target.sign === '&' ? '&' : '&&';
      to = target.to;
    }
    return { to, sign };
  }

  #resolved(node: Node): Node {
    let current = node;
    for (let steps = 0; steps < MAX_DEPTH; steps++) {
      if (current.kind !== 'templateParameter') return current;
      const argument = this.#argumentOf(current);
      if (argument === null) return current;
      current = argument;
    }
    throw new Overflow();
  }

  #argumentOf({ scope, index }: Extract<Node, { kind: 'templateParameter' }>): Node | null {
    const argument = scope.arguments?.[index];
    if (argument === undefined) return null;
    if (argument.kind !== 'pack' || this.#packIndex === null) return argument;
    return argument.elements[this.#packIndex] ?? { kind: 'text', text: '' };
  }

  #templateParameter(node: Extract<Node, { kind: 'templateParameter' }>): Declarator {
    if (node.isInLambda) return { left: `auto:${node.index + 1}`, right: '' };
    const argument = this.#argumentOf(node);
    return argument === null ? { left: `T${node.index}`, right: '' } : this.declarator(argument);
  }

  #pack(elements: readonly Node[]): string {
    const element = this.#packIndex === null ? undefined : elements[this.#packIndex];
    return element === undefined ? this.list(elements) : this.print(element);
  }

  /** One copy of the pattern for every element of the pack in it. */
  #expansion(pattern: Node): string {
    const pack = this.#packIn(pattern, 0);
    if (pack === null) return `${this.print(pattern)}...`;
    const outer = this.#packIndex;
    const copies = pack.map((_, index) => {
      this.#packIndex = index;
      return this.print(pattern);
    });
    this.#packIndex = outer;
    return copies.join(', ');
  }

  #packIn(node: Node, depth: number): readonly Node[] | null {
    if (depth > MAX_DEPTH || ++this.#printed > MAX_PRINTED_LENGTH * 4) throw new Overflow();
    if (node.kind === 'pack') return node.elements;
    if (node.kind === 'templateParameter') {
      const argument = node.scope.arguments?.[node.index];
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

function childrenOf(node: Node): readonly Node[] {
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
    case 'sequence':
      return node.parts.filter((part) => typeof part !== 'string');
    case 'list':
      return node.elements;
    default:
      return [];
  }
}
