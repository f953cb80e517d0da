import { NotMangled } from './cursor.js';
import { MangledExpressions } from './expressions.js';
import { type Node, text } from './nodes.js';
import { BUILTIN_TYPES, STANDARD_NAMES, STRING_IN_FULL } from './tables.js';

const QUALIFIERS: Readonly<Record<string, string>> = { r: ' restrict', V: ' volatile', K: ' const' };

/** `<type>`, `<template-args>`, and the substitutions for earlier parts of the name. */
export abstract class MangledTypes extends MangledExpressions {
  /** Set by the last name: functions made from templates mangle their return type. */
  protected lastEndsInArguments = false;
  protected lastHasNoReturnType = false;
  protected memberQualifiers = '';

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
    const name = this.substitution();
    if (this.cursor.peek() !== 'I') return name;
    const node: Node = { kind: 'template', name, arguments: this.ownArguments() };
    this.substitutions.push(node);
    return node;
  }

  /** Template arguments of a type within the name; they do not apply to the name itself. */
  protected override ownArguments(): Node[] {
    const outer = this.scope;
    const { arguments: known } = outer;
    const args = this.templateArguments();
    outer.arguments = known;
    return args;
  }

  private compoundType(code: string): { node: Node; isSubstitutable: boolean } {
    const substitutable = (node: Node) => ({ node, isSubstitutable: true });
    switch (code) {
      case 'r':
      case 'V':
      case 'K': {
        const qualifiers = this.cvQualifiers();
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
      case 'F':
        return substitutable(this.functionType(''));
      case 'A':
        return substitutable(this.arrayType());
      case 'M': {
        this.cursor.at++;
        const of = this.type();
        return substitutable({ kind: 'memberPointer', of, to: this.type() });
      }
      case 'T': {
        const node = this.templateParameter();
        if (this.cursor.peek() !== 'I') return substitutable(node);
        this.substitutions.push(node);
        return substitutable({ kind: 'template', name: node, arguments: this.ownArguments() });
      }
      case 'D':
        return this.longBuiltin();
      case 'U': {
        if (this.cursor.peek(1) === 'l' || this.cursor.peek(1) === 't')
          return { node: this.unnamedType(), isSubstitutable: false };
        this.cursor.at++;
        const qualifier = this.sourceText();
        return substitutable({ kind: 'qualifiedType', type: this.type(), qualifiers: ` ${qualifier}` });
      }
      case 'u':
        this.cursor.at++;
        return substitutable(this.sourceName());
      default:
        return substitutable(this.classType());
    }
  }

  private classType(): Node {
    const scope = this.scope;
    const { arguments: known } = scope;
    const endsInArguments = this.lastEndsInArguments;
    const hasNoReturnType = this.lastHasNoReturnType;
    const qualifiers = this.memberQualifiers;
    const name = this.name();
    scope.arguments = known;
    this.lastEndsInArguments = endsInArguments;
    this.lastHasNoReturnType = hasNoReturnType;
    this.memberQualifiers = qualifiers;
    return name;
  }

  private indirection(sign: string): Node {
    this.cursor.at++;
    return { kind: 'indirection', to: this.type(), sign };
  }

  private functionType(qualifiers: string): Node {
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
      qualifiers: qualifiers + reference,
    };
  }

  private arrayType(): Node {
    this.cursor.expect('A');
    let dimension: Node | null = null;
    if (/\d/.test(this.cursor.peek())) dimension = text(String(this.cursor.number()));
    else if (this.cursor.peek() !== '_') dimension = this.expression();
    this.cursor.expect('_');
    return { kind: 'array', of: this.type(), dimension };
  }

  private longBuiltin(): { node: Node; isSubstitutable: boolean } {
    const code = this.cursor.peek(1);
    const builtin = BUILTIN_TYPES.get(`D${code}`);
    if (builtin !== undefined) {
      this.cursor.at += 2;
      return { node: text(builtin), isSubstitutable: code === 'n' };
    }
    if (code === 't' || code === 'T') return { node: this.decltype(), isSubstitutable: true };
    if (code === 'p') {
      this.cursor.at += 2;
      return { node: { kind: 'expansion', of: this.type() }, isSubstitutable: true };
    }
    if (code === 'o') {
      this.cursor.at += 2;
      return { node: this.functionType(' noexcept'), isSubstitutable: true };
    }
    throw new NotMangled();
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

  protected templateArguments(): Node[] {
    this.cursor.expect('I');
    const args: Node[] = [];
    while (!this.cursor.accept('E')) args.push(this.templateArgument());
    this.scope.arguments = args;
    return args;
  }

  private templateArgument(): Node {
    return this.cursor.nested(() => {
      // Nested arguments belong to other templates, so the scope of the whole name is restored afterwards.
      const { arguments: known } = this.scope;
      const argument = this.anyTemplateArgument();
      this.scope.arguments = known;
      return argument;
    });
  }

  private anyTemplateArgument(): Node {
    if (this.cursor.accept('X')) {
      const expression = this.expression();
      this.cursor.expect('E');
      return expression;
    }
    if (this.cursor.accept('J')) {
      const elements: Node[] = [];
      while (!this.cursor.accept('E')) elements.push(this.templateArgument());
      return { kind: 'pack', elements };
    }
    return this.cursor.peek() === 'L' ? this.literal() : this.type();
  }

  protected override templateParameter(): Node {
    this.cursor.expect('T');
    const index = this.cursor.compactNumber();
    return { kind: 'templateParameter', index, scope: this.scope, isInLambda: this.isInLambda };
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
