import { NotMangled } from './cursor.js';
import { type Node, text } from './nodes.js';
import { OPERATORS, SPECIAL_NAMES } from './tables.js';
import { MangledTypes } from './types.js';

const EMPTY = text('');

/** Reads `<encoding>`, the part after `_Z`. Productions have the names of the ABI's grammar. */
export class MangledName extends MangledTypes {
  /** Null when it is no mangled name, or one of an unknown kind. */
  parse(): Node | null {
    try {
      const encoding = this.encoding();
      return this.cursor.at === this.cursor.mangled.length ? encoding : null;
    } catch (error) {
      if (error instanceof NotMangled) return null;
      throw error;
    }
  }

  protected override encoding(): Node {
    const special = this.specialName();
    if (special !== null) return special;
    const outerScope = this.scope;
    this.scope = { arguments: null };
    const name = this.name();
    const qualifiers = this.memberQualifiers;
    const hasReturnType = this.lastEndsInArguments && !this.lastHasNoReturnType;
    if (this.cursor.isAtEnd() || this.cursor.peek() === 'E' || this.cursor.peek() === '.') {
      this.scope = outerScope;
      return name;
    }
    const returnType = hasReturnType ? this.type() : null;
    const parameters = this.parameters();
    this.scope = outerScope;
    const qualified: Node = qualifiers === '' ? name : { kind: 'memberQualified', name, qualifiers };
    return { kind: 'encoding', name: qualified, returnType, parameters };
  }

  private parameters(): Node[] {
    const parameters: Node[] = [];
    while (!this.cursor.isAtEnd() && this.cursor.peek() !== 'E' && !this.cursor.startsWith('Q'))
      parameters.push(this.type());
    const [only] = parameters;
    return parameters.length === 1 && only?.kind === 'text' && only.text === 'void' ? [] : parameters;
  }

  private specialName(): Node | null {
    for (const [code, prefix] of SPECIAL_NAMES) {
      if (!this.cursor.accept(code)) continue;
      if (code === 'GR') {
        const name = this.name();
        const number = this.cursor.sequenceNumber();
        return { kind: 'special', prefix: `reference temporary #${number} for `, of: name };
      }
      if (code === 'GV' || code === 'TH' || code === 'TW')
        return { kind: 'special', prefix, of: this.name() };
      if (code === 'Th' || code === 'Tv') {
        this.callOffset(code === 'Tv');
        return { kind: 'special', prefix, of: this.encoding() };
      }
      if (code === 'Tc') {
        this.anyCallOffset();
        this.anyCallOffset();
        return { kind: 'special', prefix, of: this.encoding() };
      }
      if (code === 'TC') {
        const derived = this.type();
        this.cursor.number();
        this.cursor.expect('_');
        const base = this.type();
        return { kind: 'sequence', parts: ['construction vtable for ', base, '-in-', derived] };
      }
      if (code === 'GTt') return { kind: 'special', prefix, of: this.encoding() };
      return { kind: 'special', prefix, of: this.type() };
    }
    return null;
  }

  private anyCallOffset(): void {
    if (this.cursor.accept('h')) this.callOffset(false);
    else {
      this.cursor.expect('v');
      this.callOffset(true);
    }
  }

  private callOffset(isVirtual: boolean): void {
    this.cursor.signedNumber();
    this.cursor.expect('_');
    if (!isVirtual) return;
    this.cursor.signedNumber();
    this.cursor.expect('_');
  }

  protected override name(): Node {
    return this.cursor.nested(() => {
      this.lastEndsInArguments = false;
      this.lastHasNoReturnType = false;
      this.memberQualifiers = '';
      if (this.cursor.peek() === 'N') return this.nestedName();
      if (this.cursor.peek() === 'Z') return this.localName();
      if (this.cursor.peek() === 'S' && this.cursor.peek(1) !== 't') {
        const name = this.substitution();
        return this.withArguments(name, false);
      }
      const isInStd = this.cursor.accept('St');
      const unqualified = this.unqualifiedName(null);
      const name: Node = isInStd ? { kind: 'qualified', scope: text('std'), name: unqualified } : unqualified;
      return this.withArguments(name, true);
    });
  }

  protected override withArguments(name: Node, isSubstitutable: boolean): Node {
    if (this.cursor.peek() !== 'I') return name;
    if (isSubstitutable) this.substitutions.push(name);
    const args = this.templateArguments();
    this.lastEndsInArguments = true;
    return { kind: 'template', name, arguments: args };
  }

  private nestedName(): Node {
    this.cursor.expect('N');
    const qualifiers = this.cvQualifiers() + this.referenceQualifier();
    let name: Node | null = null;
    let endsInArguments = false;
    let hasNoReturnType = false;
    while (!this.cursor.accept('E')) {
      const code = this.cursor.peek();
      if (code === 'I') {
        if (name === null) throw new NotMangled();
        const args = this.templateArguments();
        name = { kind: 'template', name, arguments: args };
        endsInArguments = true;
      } else if (code === 'S' && this.cursor.peek(1) !== 't') {
        if (name !== null) throw new NotMangled();
        name = this.substitution();
        endsInArguments = false;
        continue;
      } else if (code === 'T') {
        name = this.templateParameter();
        endsInArguments = false;
      } else if (code === 'D' && (this.cursor.peek(1) === 't' || this.cursor.peek(1) === 'T')) {
        name = this.decltype();
        endsInArguments = false;
      } else if (code === 'M') {
        // A lambda in the initialiser of a data member: the previous name is the member.
        this.cursor.at++;
        continue;
      } else {
        if (this.cursor.accept('St')) name = text('std');
        const unqualified: Node = this.unqualifiedName(name);
        hasNoReturnType = isWithoutReturnType(unqualified);
        name = name === null ? unqualified : { kind: 'qualified', scope: name, name: unqualified };
        endsInArguments = false;
      }
      if (this.cursor.peek() !== 'E') this.substitutions.push(name);
    }
    if (name === null) throw new NotMangled();
    this.lastEndsInArguments = endsInArguments;
    this.lastHasNoReturnType = hasNoReturnType;
    this.memberQualifiers = qualifiers;
    return name;
  }

  private localName(): Node {
    this.cursor.expect('Z');
    const encoding = this.encoding();
    this.cursor.expect('E');
    this.lastEndsInArguments = false;
    this.lastHasNoReturnType = false;
    this.memberQualifiers = '';
    if (this.cursor.accept('s')) {
      this.discriminator();
      return { kind: 'local', encoding, name: text('string literal') };
    }
    if (this.cursor.accept('d')) {
      const number = this.cursor.sequenceNumber() + 1;
      const name = this.name();
      return {
        kind: 'local',
        encoding,
        name: { kind: 'sequence', parts: [`{default arg#${number}}::`, name] },
      };
    }
    const name = this.name();
    this.discriminator();
    return { kind: 'local', encoding, name };
  }

  private discriminator(): void {
    if (!this.cursor.accept('_')) return;
    if (this.cursor.accept('_')) {
      this.cursor.number();
      this.cursor.expect('_');
    } else if (/\d/.test(this.cursor.peek())) this.cursor.at++;
  }

  /** @param scope the class or namespace of the name, for constructors and destructors */
  protected override unqualifiedName(scope: Node | null): Node {
    let name: Node;
    const code = this.cursor.peek();
    if (/\d/.test(code)) name = this.sourceName();
    else if (code === 'L') {
      this.cursor.at++;
      name = this.sourceName();
      this.discriminator();
    } else if (code === 'U') name = this.unnamedType();
    else if (code === 'D' && this.cursor.peek(1) === 'C') name = this.structuredBinding();
    else if (code === 'C' || code === 'D') name = this.structor(scope);
    else name = this.operatorName();
    while (this.cursor.accept('B')) name = { kind: 'tagged', name, tag: this.sourceText() };
    return name;
  }

  private structuredBinding(): Node {
    this.cursor.expect('DC');
    const parts: Node[] = [];
    while (!this.cursor.accept('E')) parts.push(this.sourceName());
    return { kind: 'sequence', parts: ['[', { kind: 'list', elements: parts }, ']'] };
  }

  private structor(scope: Node | null): Node {
    const isConstructor = this.cursor.peek() === 'C';
    this.cursor.at++;
    const isInheriting = isConstructor && this.cursor.accept('I');
    if (!/[0-9]/.test(this.cursor.peek()) || scope === null) throw new NotMangled();
    this.cursor.at++;
    if (isInheriting) this.type();
    return { kind: isConstructor ? 'constructor' : 'destructor', of: lastName(scope) };
  }

  protected override sourceName(): Node {
    const name = this.sourceText();
    return text(/^_GLOBAL_[._$]N/.test(name) ? '(anonymous namespace)' : name);
  }

  protected override sourceText(): string {
    const length = this.cursor.number();
    const end = this.cursor.at + length;
    if (length === 0 || end > this.cursor.mangled.length) throw new NotMangled();
    const name = this.cursor.mangled.slice(this.cursor.at, end);
    this.cursor.at = end;
    return name;
  }

  protected override unnamedType(): Node {
    if (this.cursor.accept('Ut')) {
      const number = this.cursor.compactNumber() + 1;
      const node = text(`{unnamed type#${number}}`);
      this.substitutions.push(node);
      return node;
    }
    this.cursor.expect('Ul');
    const wasInLambda = this.isInLambda;
    this.isInLambda = true;
    const parameters = this.parameters();
    this.isInLambda = wasInLambda;
    this.cursor.expect('E');
    return { kind: 'lambda', parameters, number: this.cursor.compactNumber() + 1 };
  }

  protected override operatorName(): Node {
    if (this.cursor.accept('cv')) {
      const endsInArguments = this.lastEndsInArguments;
      const to = this.type();
      this.lastEndsInArguments = endsInArguments;
      return { kind: 'conversion', to };
    }
    if (this.cursor.accept('li')) return { kind: 'sequence', parts: ['operator"" ', this.sourceName()] };
    const operator = OPERATORS.get(this.cursor.mangled.slice(this.cursor.at, this.cursor.at + 2));
    if (operator === undefined) throw new NotMangled();
    this.cursor.at += 2;
    return text(`operator${/^[a-z]/.test(operator.sign) ? ' ' : ''}${operator.sign}`);
  }
}

function isWithoutReturnType(name: Node): boolean {
  return name.kind === 'constructor' || name.kind === 'destructor' || name.kind === 'conversion';
}

/** The name of this class's constructors. */
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
