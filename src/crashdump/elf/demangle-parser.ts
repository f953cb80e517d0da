import { MangledCursor, NotMangled } from './demangle-cursor.js';
import { type Node, type TemplateScope, text } from './demangle-nodes.js';
import {
  BUILTIN_TYPES,
  OPERATORS,
  SPECIAL_NAMES,
  STANDARD_NAMES,
  STRING_IN_FULL,
} from './demangle-tables.js';

const QUALIFIERS: Readonly<Record<string, string>> = { r: ' restrict', V: ' volatile', K: ' const' };
const EMPTY = text('');

/** Reads `<encoding>`, what follows `_Z`. The productions have the names of the ABI's grammar. */
export class MangledName {
  readonly #cursor: MangledCursor;
  readonly #substitutions: Node[] = [];
  #scope: TemplateScope = { arguments: null };
  #isInLambda = false;
  /** Set by the name that was read last: functions made from templates mangle their return type. */
  #lastEndsInArguments = false;
  #lastHasNoReturnType = false;
  #memberQualifiers = '';

  /** @param spellsOut whether `std::string` is written as the template that it stands for */
  constructor(
    mangled: string,
    private readonly spellsOut: boolean,
  ) {
    this.#cursor = new MangledCursor(mangled);
  }

  /** Null when it is no mangled name, or one of a kind that is not known here. */
  parse(): Node | null {
    try {
      const encoding = this.#encoding();
      return this.#cursor.at === this.#cursor.mangled.length ? encoding : null;
    } catch (error) {
      if (error instanceof NotMangled) return null;
      throw error;
    }
  }

  #encoding(): Node {
    const special = this.#specialName();
    if (special !== null) return special;
    const outerScope = this.#scope;
    this.#scope = { arguments: null };
    const name = this.#name();
    const qualifiers = this.#memberQualifiers;
    const hasReturnType = this.#lastEndsInArguments && !this.#lastHasNoReturnType;
    if (this.#cursor.isAtEnd() || this.#cursor.peek() === 'E' || this.#cursor.peek() === '.') {
      this.#scope = outerScope;
      return name;
    }
    const returnType = hasReturnType ? this.#type() : null;
    const parameters = this.#parameters();
    this.#scope = outerScope;
    const qualified: Node = qualifiers === '' ? name : { kind: 'memberQualified', name, qualifiers };
    return { kind: 'encoding', name: qualified, returnType, parameters };
  }

  #parameters(): Node[] {
    const parameters: Node[] = [];
    while (!this.#cursor.isAtEnd() && this.#cursor.peek() !== 'E' && !this.#cursor.startsWith('Q'))
      parameters.push(this.#type());
    const [only] = parameters;
    return parameters.length === 1 && only?.kind === 'text' && only.text === 'void' ? [] : parameters;
  }

  #specialName(): Node | null {
    for (const [code, prefix] of SPECIAL_NAMES) {
      if (!this.#cursor.accept(code)) continue;
      if (code === 'GR') {
        const name = this.#name();
        const number = this.#cursor.sequenceNumber();
        return { kind: 'special', prefix: `reference temporary #${number} for `, of: name };
      }
      if (code === 'GV' || code === 'TH' || code === 'TW')
        return { kind: 'special', prefix, of: this.#name() };
      if (code === 'Th' || code === 'Tv') {
        this.#callOffset(code === 'Tv');
        return { kind: 'special', prefix, of: this.#encoding() };
      }
      if (code === 'Tc') {
        this.#anyCallOffset();
        this.#anyCallOffset();
        return { kind: 'special', prefix, of: this.#encoding() };
      }
      if (code === 'TC') {
        const derived = this.#type();
        this.#cursor.number();
        this.#cursor.expect('_');
        const base = this.#type();
        return { kind: 'sequence', parts: ['construction vtable for ', base, '-in-', derived] };
      }
      if (code === 'GTt') return { kind: 'special', prefix, of: this.#encoding() };
      return { kind: 'special', prefix, of: this.#type() };
    }
    return null;
  }

  #anyCallOffset(): void {
    if (this.#cursor.accept('h')) this.#callOffset(false);
    else {
      this.#cursor.expect('v');
      this.#callOffset(true);
    }
  }

  #callOffset(isVirtual: boolean): void {
    this.#cursor.signedNumber();
    this.#cursor.expect('_');
    if (!isVirtual) return;
    this.#cursor.signedNumber();
    this.#cursor.expect('_');
  }

  #name(): Node {
    return this.#cursor.nested(() => {
      this.#lastEndsInArguments = false;
      this.#lastHasNoReturnType = false;
      this.#memberQualifiers = '';
      if (this.#cursor.peek() === 'N') return this.#nestedName();
      if (this.#cursor.peek() === 'Z') return this.#localName();
      if (this.#cursor.peek() === 'S' && this.#cursor.peek(1) !== 't') {
        const name = this.#substitution();
        return this.#withArguments(name, false);
      }
      const isInStd = this.#cursor.accept('St');
      const unqualified = this.#unqualifiedName(null);
      const name: Node = isInStd ? { kind: 'qualified', scope: text('std'), name: unqualified } : unqualified;
      return this.#withArguments(name, true);
    });
  }

  #withArguments(name: Node, isSubstitutable: boolean): Node {
    if (this.#cursor.peek() !== 'I') return name;
    if (isSubstitutable) this.#substitutions.push(name);
    const args = this.#templateArguments();
    this.#lastEndsInArguments = true;
    return { kind: 'template', name, arguments: args };
  }

  #nestedName(): Node {
    this.#cursor.expect('N');
    const qualifiers = this.#cvQualifiers() + this.#referenceQualifier();
    let name: Node | null = null;
    let endsInArguments = false;
    let hasNoReturnType = false;
    while (!this.#cursor.accept('E')) {
      const code = this.#cursor.peek();
      if (code === 'I') {
        if (name === null) throw new NotMangled();
        const args = this.#templateArguments();
        name = { kind: 'template', name, arguments: args };
        endsInArguments = true;
      } else if (code === 'S' && this.#cursor.peek(1) !== 't') {
        if (name !== null) throw new NotMangled();
        name = this.#substitution();
        endsInArguments = false;
        continue;
      } else if (code === 'T') {
        name = this.#templateParameter();
        endsInArguments = false;
      } else if (code === 'D' && (this.#cursor.peek(1) === 't' || this.#cursor.peek(1) === 'T')) {
        name = this.#decltype();
        endsInArguments = false;
      } else if (code === 'M') {
        // A lambda of a data member's initialiser: the member was the name before.
        this.#cursor.at++;
        continue;
      } else {
        if (this.#cursor.accept('St')) name = text('std');
        const unqualified: Node = this.#unqualifiedName(name);
        hasNoReturnType = isWithoutReturnType(unqualified);
        name = name === null ? unqualified : { kind: 'qualified', scope: name, name: unqualified };
        endsInArguments = false;
      }
      if (this.#cursor.peek() !== 'E') this.#substitutions.push(name);
    }
    if (name === null) throw new NotMangled();
    this.#lastEndsInArguments = endsInArguments;
    this.#lastHasNoReturnType = hasNoReturnType;
    this.#memberQualifiers = qualifiers;
    return name;
  }

  #localName(): Node {
    this.#cursor.expect('Z');
    const encoding = this.#encoding();
    this.#cursor.expect('E');
    this.#lastEndsInArguments = false;
    this.#lastHasNoReturnType = false;
    this.#memberQualifiers = '';
    if (this.#cursor.accept('s')) {
      this.#discriminator();
      return { kind: 'local', encoding, name: text('string literal') };
    }
    if (this.#cursor.accept('d')) {
      const number = this.#cursor.sequenceNumber() + 1;
      const name = this.#name();
      return {
        kind: 'local',
        encoding,
        name: { kind: 'sequence', parts: [`{default arg#${number}}::`, name] },
      };
    }
    const name = this.#name();
    this.#discriminator();
    return { kind: 'local', encoding, name };
  }

  #discriminator(): void {
    if (!this.#cursor.accept('_')) return;
    if (this.#cursor.accept('_')) {
      this.#cursor.number();
      this.#cursor.expect('_');
    } else if (/\d/.test(this.#cursor.peek())) this.#cursor.at++;
  }

  /** @param scope what the name is a member of, for constructors and destructors */
  #unqualifiedName(scope: Node | null): Node {
    let name: Node;
    const code = this.#cursor.peek();
    if (/\d/.test(code)) name = this.#sourceName();
    else if (code === 'L') {
      this.#cursor.at++;
      name = this.#sourceName();
      this.#discriminator();
    } else if (code === 'U') name = this.#unnamedType();
    else if (code === 'D' && this.#cursor.peek(1) === 'C') name = this.#structuredBinding();
    else if (code === 'C' || code === 'D') name = this.#structor(scope);
    else name = this.#operatorName();
    while (this.#cursor.accept('B')) name = { kind: 'tagged', name, tag: this.#sourceText() };
    return name;
  }

  #structuredBinding(): Node {
    this.#cursor.expect('DC');
    const parts: Node[] = [];
    while (!this.#cursor.accept('E')) parts.push(this.#sourceName());
    return { kind: 'sequence', parts: ['[', { kind: 'list', elements: parts }, ']'] };
  }

  #structor(scope: Node | null): Node {
    const isConstructor = this.#cursor.peek() === 'C';
    this.#cursor.at++;
    const isInheriting = isConstructor && this.#cursor.accept('I');
    if (!/[0-9]/.test(this.#cursor.peek()) || scope === null) throw new NotMangled();
    this.#cursor.at++;
    if (isInheriting) this.#type();
    return { kind: isConstructor ? 'constructor' : 'destructor', of: lastName(scope) };
  }

  #sourceName(): Node {
    const name = this.#sourceText();
    return text(/^_GLOBAL_[._$]N/.test(name) ? '(anonymous namespace)' : name);
  }

  #sourceText(): string {
    const length = this.#cursor.number();
    const end = this.#cursor.at + length;
    if (length === 0 || end > this.#cursor.mangled.length) throw new NotMangled();
    const name = this.#cursor.mangled.slice(this.#cursor.at, end);
    this.#cursor.at = end;
    return name;
  }

  #unnamedType(): Node {
    if (this.#cursor.accept('Ut')) {
      const number = this.#cursor.compactNumber() + 1;
      const node = text(`{unnamed type#${number}}`);
      this.#substitutions.push(node);
      return node;
    }
    this.#cursor.expect('Ul');
    const wasInLambda = this.#isInLambda;
    this.#isInLambda = true;
    const parameters = this.#parameters();
    this.#isInLambda = wasInLambda;
    this.#cursor.expect('E');
    return { kind: 'lambda', parameters, number: this.#cursor.compactNumber() + 1 };
  }

  #operatorName(): Node {
    if (this.#cursor.accept('cv')) {
      const endsInArguments = this.#lastEndsInArguments;
      const to = this.#type();
      this.#lastEndsInArguments = endsInArguments;
      return { kind: 'conversion', to };
    }
    if (this.#cursor.accept('li')) return { kind: 'sequence', parts: ['operator"" ', this.#sourceName()] };
    const operator = OPERATORS.get(this.#cursor.mangled.slice(this.#cursor.at, this.#cursor.at + 2));
    if (operator === undefined) throw new NotMangled();
    this.#cursor.at += 2;
    return text(`operator${/^[a-z]/.test(operator.sign) ? ' ' : ''}${operator.sign}`);
  }

  #templateArguments(): Node[] {
    this.#cursor.expect('I');
    const args: Node[] = [];
    while (!this.#cursor.accept('E')) args.push(this.#templateArgument());
    this.#scope.arguments = args;
    return args;
  }

  #templateArgument(): Node {
    return this.#cursor.nested(() => {
      // Arguments inside belong to other templates; the scope is that of the whole name again afterwards.
      const { arguments: known } = this.#scope;
      const argument = this.#anyTemplateArgument();
      this.#scope.arguments = known;
      return argument;
    });
  }

  #anyTemplateArgument(): Node {
    if (this.#cursor.accept('X')) {
      const expression = this.#expression();
      this.#cursor.expect('E');
      return expression;
    }
    if (this.#cursor.accept('J')) {
      const elements: Node[] = [];
      while (!this.#cursor.accept('E')) elements.push(this.#templateArgument());
      return { kind: 'pack', elements };
    }
    return this.#cursor.peek() === 'L' ? this.#literal() : this.#type();
  }

  #templateParameter(): Node {
    this.#cursor.expect('T');
    const index = this.#cursor.compactNumber();
    return { kind: 'templateParameter', index, scope: this.#scope, isInLambda: this.#isInLambda };
  }

  #substitution(): Node {
    this.#cursor.expect('S');
    const code = this.#cursor.peek();
    if (code === '_' || /[0-9A-Z]/.test(code)) {
      const node = this.#substitutions[this.#cursor.sequenceNumber()];
      if (node === undefined) throw new NotMangled();
      return node;
    }
    const standard = STANDARD_NAMES.get(code);
    if (standard === undefined) throw new NotMangled();
    this.#cursor.at++;
    const next = this.#cursor.peek();
    // A constructor's name is that of the template.
    const full = this.spellsOut || next === 'C' || next === 'D' ? STRING_IN_FULL.get(code) : undefined;
    return full ?? text(standard);
  }

  #type(): Node {
    return this.#cursor.nested(() => {
      const code = this.#cursor.peek();
      const builtin = BUILTIN_TYPES.get(code);
      if (builtin !== undefined) {
        this.#cursor.at++;
        return text(builtin);
      }
      if (code === 'S' && this.#cursor.peek(1) !== 't') return this.#substitutedType();
      const type = this.#compoundType(code);
      if (type.isSubstitutable) this.#substitutions.push(type.node);
      return type.node;
    });
  }

  #substitutedType(): Node {
    const name = this.#substitution();
    if (this.#cursor.peek() !== 'I') return name;
    const node: Node = { kind: 'template', name, arguments: this.#ownArguments() };
    this.#substitutions.push(node);
    return node;
  }

  /** Arguments of a type that is mentioned; they say nothing about the name being read. */
  #ownArguments(): Node[] {
    const outer = this.#scope;
    const { arguments: known } = outer;
    const args = this.#templateArguments();
    outer.arguments = known;
    return args;
  }

  #compoundType(code: string): { node: Node; isSubstitutable: boolean } {
    const substitutable = (node: Node) => ({ node, isSubstitutable: true });
    switch (code) {
      case 'r':
      case 'V':
      case 'K': {
        const qualifiers = this.#cvQualifiers();
        return substitutable({ kind: 'qualifiedType', type: this.#type(), qualifiers });
      }
      case 'P':
        return substitutable(this.#indirection('*'));
      case 'R':
        return substitutable(this.#indirection('&'));
      case 'O':
        return substitutable(this.#indirection('&&'));
      case 'C':
        this.#cursor.at++;
        return substitutable({ kind: 'qualifiedType', type: this.#type(), qualifiers: ' _Complex' });
      case 'F':
        return substitutable(this.#functionType(''));
      case 'A':
        return substitutable(this.#arrayType());
      case 'M': {
        this.#cursor.at++;
        const of = this.#type();
        return substitutable({ kind: 'memberPointer', of, to: this.#type() });
      }
      case 'T': {
        const node = this.#templateParameter();
        if (this.#cursor.peek() !== 'I') return substitutable(node);
        this.#substitutions.push(node);
        return substitutable({ kind: 'template', name: node, arguments: this.#ownArguments() });
      }
      case 'D':
        return this.#longBuiltin();
      case 'U': {
        if (this.#cursor.peek(1) === 'l' || this.#cursor.peek(1) === 't')
          return { node: this.#unnamedType(), isSubstitutable: false };
        this.#cursor.at++;
        const qualifier = this.#sourceText();
        return substitutable({ kind: 'qualifiedType', type: this.#type(), qualifiers: ` ${qualifier}` });
      }
      case 'u':
        this.#cursor.at++;
        return substitutable(this.#sourceName());
      default:
        return substitutable(this.#classType());
    }
  }

  #classType(): Node {
    const scope = this.#scope;
    const { arguments: known } = scope;
    const endsInArguments = this.#lastEndsInArguments;
    const hasNoReturnType = this.#lastHasNoReturnType;
    const qualifiers = this.#memberQualifiers;
    const name = this.#name();
    scope.arguments = known;
    this.#lastEndsInArguments = endsInArguments;
    this.#lastHasNoReturnType = hasNoReturnType;
    this.#memberQualifiers = qualifiers;
    return name;
  }

  #indirection(sign: string): Node {
    this.#cursor.at++;
    return { kind: 'indirection', to: this.#type(), sign };
  }

  #functionType(qualifiers: string): Node {
    this.#cursor.expect('F');
    this.#cursor.accept('Y');
    const returnType = this.#type();
    const parameters: Node[] = [];
    while (this.#cursor.peek() !== 'E' && !(/[RO]/.test(this.#cursor.peek()) && this.#cursor.peek(1) === 'E'))
      parameters.push(this.#type());
    const reference = this.#referenceQualifier();
    this.#cursor.expect('E');
    const [only] = parameters;
    const isEmpty = parameters.length === 1 && only?.kind === 'text' && only.text === 'void';
    return {
      kind: 'functionType',
      returnType,
      parameters: isEmpty ? [] : parameters,
      qualifiers: qualifiers + reference,
    };
  }

  #arrayType(): Node {
    this.#cursor.expect('A');
    let dimension: Node | null = null;
    if (/\d/.test(this.#cursor.peek())) dimension = text(String(this.#cursor.number()));
    else if (this.#cursor.peek() !== '_') dimension = this.#expression();
    this.#cursor.expect('_');
    return { kind: 'array', of: this.#type(), dimension };
  }

  #longBuiltin(): { node: Node; isSubstitutable: boolean } {
    const code = this.#cursor.peek(1);
    const builtin = BUILTIN_TYPES.get(`D${code}`);
    if (builtin !== undefined) {
      this.#cursor.at += 2;
      return { node: text(builtin), isSubstitutable: code === 'n' };
    }
    if (code === 't' || code === 'T') return { node: this.#decltype(), isSubstitutable: true };
    if (code === 'p') {
      this.#cursor.at += 2;
      return { node: { kind: 'expansion', of: this.#type() }, isSubstitutable: true };
    }
    if (code === 'o') {
      this.#cursor.at += 2;
      return { node: this.#functionType(' noexcept'), isSubstitutable: true };
    }
    throw new NotMangled();
  }

  #decltype(): Node {
    this.#cursor.at += 2;
    const expression = this.#expression();
    this.#cursor.expect('E');
    return { kind: 'sequence', parts: ['decltype (', expression, ')'] };
  }

  #literal(): Node {
    this.#cursor.expect('L');
    if (this.#cursor.accept('_Z')) {
      const encoding = this.#encoding();
      this.#cursor.expect('E');
      return encoding;
    }
    const code = this.#cursor.peek();
    const type = this.#type();
    const start = this.#cursor.at;
    while (this.#cursor.peek() !== 'E') {
      if (this.#cursor.isAtEnd()) throw new NotMangled();
      this.#cursor.at++;
    }
    const digits = this.#cursor.mangled.slice(start, this.#cursor.at).replace(/^n/, '-');
    this.#cursor.expect('E');
    if (code === 'b' && (digits === '0' || digits === '1')) return text(digits === '1' ? 'true' : 'false');
    const suffix = LITERAL_SUFFIXES.get(code);
    if (suffix !== undefined) return text(digits + suffix);
    return digits === '' ? type : { kind: 'sequence', parts: ['(', type, ')', digits] };
  }

  #expression(): Node {
    return this.#cursor.nested(() => {
      const code = this.#cursor.peek();
      if (code === 'L') return this.#literal();
      if (code === 'T') return this.#templateParameter();
      if (/\d/.test(code)) return this.#withArguments(this.#sourceName(), false);
      if (this.#cursor.accept('sr')) {
        const scope = this.#type();
        const name = this.#unqualifiedName(scope);
        return this.#withOwnArguments({ kind: 'qualified', scope, name });
      }
      if (this.#cursor.accept('fp')) {
        this.#cvQualifiers();
        return text(`{parm#${this.#cursor.compactNumber() + 1}}`);
      }
      if (this.#cursor.accept('sp')) return { kind: 'expansion', of: this.#expression() };
      if (this.#cursor.accept('sZ'))
        return { kind: 'sequence', parts: ['sizeof...(', this.#expression(), ')'] };
      if (this.#cursor.accept('st')) return { kind: 'sequence', parts: ['sizeof (', this.#type(), ')'] };
      if (this.#cursor.accept('at')) return { kind: 'sequence', parts: ['alignof (', this.#type(), ')'] };
      if (this.#cursor.accept('cl')) {
        const callee = this.#expression();
        return { kind: 'sequence', parts: [callee, '(', this.#expressionsToEnd(), ')'] };
      }
      if (this.#cursor.accept('cv')) {
        const type = this.#type();
        const operand = this.#cursor.accept('_') ? this.#expressionsToEnd() : this.#expression();
        return { kind: 'sequence', parts: ['(', type, ')(', operand, ')'] };
      }
      if (this.#cursor.accept('tl')) {
        const type = this.#type();
        return { kind: 'sequence', parts: [type, '{', this.#expressionsToEnd(), '}'] };
      }
      if (this.#cursor.accept('dt'))
        return { kind: 'sequence', parts: [this.#expression(), '.', this.#member()] };
      if (this.#cursor.accept('pt'))
        return { kind: 'sequence', parts: [this.#expression(), '->', this.#member()] };
      if (this.#cursor.accept('on')) return this.#withOwnArguments(this.#operatorName());
      return this.#operation();
    });
  }

  #member(): Node {
    return this.#withOwnArguments(this.#unqualifiedName(null));
  }

  #withOwnArguments(name: Node): Node {
    return this.#cursor.peek() === 'I' ? { kind: 'template', name, arguments: this.#ownArguments() } : name;
  }

  #expressionsToEnd(): Node {
    const elements: Node[] = [];
    while (!this.#cursor.accept('E')) elements.push(this.#expression());
    return { kind: 'list', elements };
  }

  #operation(): Node {
    const operator = OPERATORS.get(this.#cursor.mangled.slice(this.#cursor.at, this.#cursor.at + 2));
    if (operator === undefined) throw new NotMangled();
    this.#cursor.at += 2;
    if (operator.sign === 'sizeof') return { kind: 'sequence', parts: ['sizeof (', this.#expression(), ')'] };
    const first = this.#expression();
    if (operator.operands === 1) return { kind: 'sequence', parts: [operator.sign, '(', first, ')'] };
    const second = this.#expression();
    if (operator.operands === 2) {
      const wrapped = operator.sign === '>';
      const parts = ['(', first, ')', operator.sign, '(', second, ')'];
      return { kind: 'sequence', parts: wrapped ? ['(', ...parts, ')'] : parts };
    }
    return { kind: 'sequence', parts: ['(', first, ')?(', second, ') : (', this.#expression(), ')'] };
  }

  #cvQualifiers(): string {
    let qualifiers = '';
    for (
      let next = QUALIFIERS[this.#cursor.peek()];
      next !== undefined;
      next = QUALIFIERS[this.#cursor.peek()]
    ) {
      // Mangled outermost first: `VK` is "const volatile".
      qualifiers = next + qualifiers;
      this.#cursor.at++;
    }
    return qualifiers;
  }

  #referenceQualifier(): string {
    if (this.#cursor.accept('R')) return ' &';
    return this.#cursor.accept('O') ? ' &&' : '';
  }
}

const LITERAL_SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['i', ''],
  ['j', 'u'],
  ['l', 'l'],
  ['m', 'ul'],
  ['x', 'll'],
  ['y', 'ull'],
]);

function isWithoutReturnType(name: Node): boolean {
  return name.kind === 'constructor' || name.kind === 'destructor' || name.kind === 'conversion';
}

/** What a constructor of this class is called. */
function lastName(scope: Node): Node {
  let name = scope;
  while (
    name.kind === 'qualified' ||
    name.kind === 'template' ||
    name.kind === 'tagged' ||
    name.kind === 'local'
  ) {
    name = name.name;
  }
  return name.kind === 'text'
    ? text(name.text.slice(name.text.lastIndexOf('::') + 1).replace(/^:/, ''))
    : (name ?? EMPTY);
}
