import { NotMangled } from './cursor.js';
import { type Node, text } from './nodes.js';
import { BUILTIN_TYPES, STANDARD_NAMES, STRING_IN_FULL } from './tables.js';
import { MangledTemplates } from './templates.js';

const QUALIFIERS: Readonly<Record<string, string>> = { r: ' restrict', V: ' volatile', K: ' const' };

const ELABORATED: Readonly<Record<string, string>> = { s: 'struct ', u: 'union ', e: 'enum ' };

/** `<type>`, `<template-args>`, and the substitutions for earlier parts of the name. */
export abstract class MangledTypes extends MangledTemplates {
  /** Set by the last name: functions made from templates mangle their return type. */
  protected lastEndsInArguments = false;
  protected lastHasNoReturnType = false;
  protected memberQualifiers = '';
  /** C++23's `this` among the parameters. */
  protected hasExplicitObject = false;

  /** @param spellsOut whether `std::string` is written as its full template */
  constructor(
    mangled: string,
    private readonly spellsOut: boolean,
  ) {
    super(mangled);
  }

  protected abstract name(): Node;
  protected abstract sourceText(): string;
  protected abstract unnamedType(): Node;

  protected override type(): Node {
    return this.cursor.nested(() => {
      const code = this.cursor.peek();
      const builtin = BUILTIN_TYPES.get(code);
      if (builtin !== undefined) {
        this.cursor.at++;
        return text(builtin);
      }
      if (code === 'S' && this.cursor.peek(1) !== 't') return this.substitutedType();
      const type = this.compoundType(code);
      if (type.isSubstitutable) this.substitutions.push(type.node);
      return type.node;
    });
  }

  private substitutedType(): Node {
    const known = this.substitution();
    const name = known.kind === 'module' ? this.unqualifiedName(null, known) : known;
    if (name !== known) this.substitutions.push(name);
    if (this.cursor.peek() !== 'I') return name;
    const node: Node = { kind: 'template', name, arguments: this.templateArguments() };
    this.substitutions.push(node);
    return node;
  }

  private compoundType(code: string): { node: Node; isSubstitutable: boolean } {
    const substitutable = (node: Node) => ({ node, isSubstitutable: true });
    switch (code) {
      case 'r':
      case 'V':
      case 'K': {
        const qualifiers = this.cvQualifiers();
        // The qualifiers of a member function belong to its type: without them it is no part of the name.
        const functionType = this.memberFunctionType(qualifiers);
        if (functionType !== null) return substitutable(functionType);
        return substitutable({ kind: 'qualifiedType', type: this.type(), qualifiers });
      }
      case 'P':
        return substitutable(this.indirection('*'));
      case 'R':
        return substitutable(this.indirection('&'));
      case 'O':
        return substitutable(this.indirection('&&'));
      case 'C':
        this.cursor.at++;
        return substitutable({ kind: 'qualifiedType', type: this.type(), qualifiers: ' _Complex' });
      case 'G':
        this.cursor.at++;
        return substitutable({ kind: 'qualifiedType', type: this.type(), qualifiers: ' _Imaginary' });
      case 'F':
        return substitutable(this.functionType('', '', null));
      case 'A':
        return substitutable(this.arrayType());
      case 'M': {
        this.cursor.at++;
        const of = this.type();
        return substitutable({ kind: 'memberPointer', of, to: this.type() });
      }
      case 'T': {
        const elaborated = ELABORATED[this.cursor.peek(1)];
        if (elaborated !== undefined) {
          this.cursor.at += 2;
          return substitutable({ kind: 'sequence', parts: [elaborated, this.name()] });
        }
        const node = this.templateParameter();
        const args = this.cursor.peek() === 'I' ? this.argumentsOfParameter(node) : null;
        return substitutable(args === null ? node : { kind: 'template', name: node, arguments: args });
      }
      case 'D':
        return this.longBuiltin();
      case 'U': {
        if (/[ltb]/.test(this.cursor.peek(1))) return { node: this.unnamedType(), isSubstitutable: false };
        this.cursor.at++;
        return substitutable(this.vendorQualified());
      }
      case 'u':
        return substitutable(this.vendorType());
      default:
        return substitutable(this.classType());
    }
  }

  /** In `operator T<int>` the arguments are those of the operator, unless it has others. */
  private argumentsOfParameter(parameter: Node): Node[] | null {
    const { at } = this.cursor;
    const known = this.substitutions.length;
    const isConversion = this.isConversion;
    this.substitutions.push(parameter);
    const args = this.templateArguments();
    if (!isConversion || this.cursor.peek() === 'I') return args;
    this.cursor.at = at;
    this.substitutions.length = known;
    return null;
  }

  /** A concept, with its further arguments. */
  protected override typeConstraint(): Node {
    return this.classType();
  }

  private classType(): Node {
    const endsInArguments = this.lastEndsInArguments;
    const hasNoReturnType = this.lastHasNoReturnType;
    const qualifiers = this.memberQualifiers;
    const name = this.name();
    this.lastEndsInArguments = endsInArguments;
    this.lastHasNoReturnType = hasNoReturnType;
    this.memberQualifiers = qualifiers;
    this.hasExplicitObject = false;
    return name;
  }

  private indirection(sign: string): Node {
    this.cursor.at++;
    return { kind: 'indirection', to: this.type(), sign };
  }

  /** `int AS1`, an address space. */
  private vendorQualified(): Node {
    const qualifier = this.withOwnArguments(this.sourceName());
    const type = this.type();
    return { kind: 'sequence', parts: [type, ' ', qualifier] };
  }

  /** Also type traits that a compiler knows: `__remove_cv(T)`. */
  private vendorType(): Node {
    this.cursor.expect('u');
    const name = this.sourceName();
    if (this.cursor.peek() !== 'I') return name;
    return {
      kind: 'sequence',
      parts: [name, '(', { kind: 'list', elements: this.templateArguments() }, ')'],
    };
  }

  private functionType(cv: string, qualifiers: string, exceptions: Node | null): Node {
    this.cursor.expect('F');
    this.cursor.accept('Y');
    const returnType = this.type();
    const parameters: Node[] = [];
    while (this.cursor.peek() !== 'E' && !(/[RO]/.test(this.cursor.peek()) && this.cursor.peek(1) === 'E'))
      parameters.push(this.type());
    const reference = this.referenceQualifier();
    this.cursor.expect('E');
    const [only] = parameters;
    const isEmpty = parameters.length === 1 && only?.kind === 'text' && only.text === 'void';
    return {
      kind: 'functionType',
      returnType,
      parameters: isEmpty ? [] : parameters,
      qualifiers: cv + reference + qualifiers,
      exceptions,
    };
  }

  private arrayType(): Node {
    this.cursor.expect('A');
    let dimension: Node | null = null;
    if (this.cursor.peek() !== '_') dimension = this.numberOrExpression();
    this.cursor.expect('_');
    return { kind: 'array', of: this.type(), dimension };
  }

  private longBuiltin(): { node: Node; isSubstitutable: boolean } {
    const code = this.cursor.peek(1);
    const builtin = BUILTIN_TYPES.get(`D${code}`);
    if (builtin !== undefined) {
      this.cursor.at += 2;
      return { node: text(builtin), isSubstitutable: false };
    }
    if (code === 't' || code === 'T') return { node: this.decltype(), isSubstitutable: true };
    if (code === 'p') {
      this.cursor.at += 2;
      return { node: { kind: 'expansion', of: this.type() }, isSubstitutable: true };
    }
    const functionType = this.memberFunctionType('');
    if (functionType !== null) return { node: functionType, isSubstitutable: true };
    if (code === 'k' || code === 'K') {
      this.cursor.at += 2;
      const parts = [this.typeConstraint(), code === 'k' ? ' auto' : ' decltype(auto)'];
      return { node: { kind: 'sequence', parts }, isSubstitutable: true };
    }
    if (code === 'v') return { node: this.vector(), isSubstitutable: true };
    if (code === 'F') return { node: this.floatOfWidth(), isSubstitutable: false };
    if (code === 'B' || code === 'U') return { node: this.bitInt(), isSubstitutable: true };
    throw new NotMangled();
  }

  /** With what may precede the `F`. */
  private memberFunctionType(cv: string): Node | null {
    if (this.cursor.peek() === 'F') return this.functionType(cv, '', null);
    const code = this.cursor.peek() === 'D' ? this.cursor.peek(1) : '';
    if (code !== 'o' && code !== 'O' && code !== 'w' && code !== 'x') return null;
    this.cursor.at += 2;
    if (code === 'o') return this.functionType(cv, ' noexcept', null);
    if (code === 'x') return this.functionType(cv, ' transaction_safe', null);
    return this.functionType(cv, '', this.exceptions(code));
  }

  private exceptions(code: 'O' | 'w'): Node {
    const of = code === 'O' ? this.expression() : ({ kind: 'list', elements: this.typesToEnd() } as const);
    if (code === 'O') this.cursor.expect('E');
    return { kind: 'sequence', parts: [code === 'O' ? ' noexcept(' : ' throw(', of, ')'] };
  }

  private typesToEnd(): Node[] {
    const types: Node[] = [];
    while (!this.cursor.accept('E')) types.push(this.type());
    return types;
  }

  private vector(): Node {
    this.cursor.expect('Dv');
    const lanes = this.numberOrExpression();
    this.cursor.expect('_');
    const element = this.cursor.accept('p') ? text('pixel') : this.type();
    return { kind: 'sequence', parts: [element, ' __vector(', lanes, ')'] };
  }

  private numberOrExpression(): Node {
    return /\d/.test(this.cursor.peek()) ? text(String(this.cursor.number())) : this.expression();
  }

  /** `_Float16`, `_Float32x`, `std::bfloat16_t`. */
  private floatOfWidth(): Node {
    this.cursor.expect('DF');
    const bits = this.cursor.number();
    if (this.cursor.accept('b')) return text(`std::bfloat${bits}_t`);
    if (this.cursor.accept('x')) return text(`_Float${bits}x`);
    this.cursor.expect('_');
    return text(`_Float${bits}`);
  }

  private bitInt(): Node {
    const sign = this.cursor.peek(1) === 'U' ? 'unsigned ' : '';
    this.cursor.at += 2;
    const bits = this.numberOrExpression();
    this.cursor.expect('_');
    return { kind: 'sequence', parts: [`${sign}_BitInt(`, bits, ')'] };
  }

  protected decltype(): Node {
    this.cursor.at += 2;
    const expression = this.expression();
    this.cursor.expect('E');
    return { kind: 'sequence', parts: ['decltype (', expression, ')'] };
  }

  protected override cvQualifiers(): string {
    let qualifiers = '';
    for (
      let next = QUALIFIERS[this.cursor.peek()];
      next !== undefined;
      next = QUALIFIERS[this.cursor.peek()]
    ) {
      // Mangled outermost first: `VK` is "const volatile".
      qualifiers = next + qualifiers;
      this.cursor.at++;
    }
    return qualifiers;
  }

  protected referenceQualifier(): string {
    if (this.cursor.accept('R')) return ' &';
    return this.cursor.accept('O') ? ' &&' : '';
  }

  protected substitution(): Node {
    this.cursor.expect('S');
    const code = this.cursor.peek();
    if (code === '_' || /[0-9A-Z]/.test(code)) {
      const node = this.substitutions[this.cursor.sequenceNumber()];
      if (node === undefined) throw new NotMangled();
      return node;
    }
    const standard = STANDARD_NAMES.get(code);
    if (standard === undefined) throw new NotMangled();
    this.cursor.at++;
    const next = this.cursor.peek();
    // A constructor has the name of the template.
    const full = this.spellsOut || next === 'C' || next === 'D' ? STRING_IN_FULL.get(code) : undefined;
    return full ?? text(standard);
  }
}
