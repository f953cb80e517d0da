import { NotMangled } from './cursor.js';
import { type Module, type Node, text } from './nodes.js';
import { MangledSpecialNames } from './special-names.js';
import { OPERATORS } from './tables.js';

const EMPTY = text('');

/** Reads `<encoding>`, the part after `_Z`. Productions have the names of the ABI's grammar. */
export class MangledName extends MangledSpecialNames {
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
    const name = this.name();
    const qualifiers = this.memberQualifiers;
    const isExplicit = this.hasExplicitObject;
    this.hasExplicitObject = false;
    const hasReturnType = this.lastEndsInArguments && !this.lastHasNoReturnType;
    const isData = this.cursor.isAtEnd() || this.cursor.peek() === 'E' || this.cursor.peek() === '.';
    const enabled = this.enableIf();
    if (isData) return name;
    const returnType = hasReturnType ? this.type() : null;
    const parameters = this.parameters();
    const [self, ...others] = parameters;
    if (isExplicit && self !== undefined) {
      parameters.splice(0, parameters.length, { kind: 'sequence', parts: ['this ', self] }, ...others);
    }
    const constraint = this.cursor.accept('Q') ? this.expression() : enabled;
    const qualified: Node = qualifiers === '' ? name : { kind: 'memberQualified', name, qualifiers };
    return { kind: 'encoding', name: qualified, returnType, parameters, constraint };
  }

  /** Conditions of overloads, an extension of clang; not printed. */
  private enableIf(): null {
    if (this.cursor.accept('Ua9enable_ifI')) while (!this.cursor.accept('E')) this.templateArgument();
    return null;
  }

  private parameters(): Node[] {
    const parameters: Node[] = [];
    while (!this.cursor.isAtEnd() && this.cursor.peek() !== 'E' && !this.cursor.startsWith('Q'))
      parameters.push(this.type());
    const [only] = parameters;
    return parameters.length === 1 && only?.kind === 'text' && only.text === 'void' ? [] : parameters;
  }

  protected override name(): Node {
    return this.cursor.nested(() => {
      this.lastEndsInArguments = false;
      this.lastHasNoReturnType = false;
      this.memberQualifiers = '';
      this.hasExplicitObject = false;
      if (this.cursor.peek() === 'N') return this.nestedName();
      if (this.cursor.peek() === 'Z') return this.localName();
      let module: Module | undefined;
      if (this.cursor.peek() === 'S' && this.cursor.peek(1) !== 't') {
        const known = this.substitution();
        if (known.kind !== 'module') return this.withArguments(known, false);
        module = known;
      }
      const isInStd = this.cursor.accept('St');
      const unqualified = this.unqualifiedName(null, module);
      const name: Node = isInStd ? { kind: 'qualified', scope: text('std'), name: unqualified } : unqualified;
      return this.withArguments(name, true);
    });
  }

  private withArguments(name: Node, isSubstitutable: boolean): Node {
    if (this.cursor.peek() !== 'I') return name;
    if (isSubstitutable) this.substitutions.push(name);
    const args = this.templateArguments();
    this.lastEndsInArguments = true;
    return { kind: 'template', name, arguments: args };
  }

  private nestedName(): Node {
    this.cursor.expect('N');
    const isExplicit = this.cursor.accept('H');
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
        const known = this.substitution();
        if (known.kind !== 'module') {
          if (name !== null) throw new NotMangled();
          name = known;
          endsInArguments = false;
          continue;
        }
        const attached = this.unqualifiedName(name, known);
        name = name === null ? attached : { kind: 'qualified', scope: name, name: attached };
        endsInArguments = false;
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
    this.hasExplicitObject = isExplicit;
    return name;
  }

  private localName(): Node {
    this.cursor.expect('Z');
    const encoding = this.encoding();
    this.cursor.expect('E');
    this.lastEndsInArguments = false;
    this.lastHasNoReturnType = false;
    this.memberQualifiers = '';
    this.hasExplicitObject = false;
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
  protected override unqualifiedName(scope: Node | null, known: Module | null = null): Node {
    let name: Node;
    const module = this.module(known);
    const isLocal = this.cursor.accept('L');
    const isFriend = this.cursor.accept('F');
    const code = this.cursor.peek();
    if (/\d/.test(code)) {
      name = this.sourceName();
      if (isLocal) this.discriminator();
    } else if (code === 'U') name = this.unnamedType();
    else if (code === 'D' && this.cursor.peek(1) === 'C') name = this.structuredBinding();
    else if (code === 'C' || code === 'D') name = this.structor(scope);
    else name = this.operatorName();
    while (this.cursor.accept('B')) name = { kind: 'tagged', name, tag: this.sourceText() };
    if (module !== null) name = { kind: 'inModule', name, module: module.path };
    return isFriend ? { kind: 'sequence', parts: ['friend ', name] } : name;
  }

  /** `W` for each part of a module's name, `WP` for a partition. */
  protected override module(known: Module | null): Module | null {
    let module = known;
    while (this.cursor.accept('W')) {
      const separator = this.cursor.accept('P') ? ':' : module === null ? '' : '.';
      module = { kind: 'module', path: (module?.path ?? '') + separator + this.sourceText() };
      this.substitutions.push(module);
    }
    return module;
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
    if (this.cursor.accept('Ub')) {
      this.cursor.compactNumber();
      return text("'block-literal'");
    }
    this.cursor.expect('Ul');
    const names: string[] = [];
    const head: Node[] = [];
    while (this.isTemplateParameterDeclaration()) head.push(this.templateParameterDeclaration(names));
    const constraint = this.cursor.accept('Q') ? this.expression() : null;
    const parameters = this.parameters();
    if (this.cursor.accept('Q')) this.expression();
    this.cursor.expect('E');
    const number = this.cursor.compactNumber() + 1;
    return { kind: 'lambda', head, names, constraint, parameters, number };
  }

  protected override operatorName(): Node {
    if (this.cursor.accept('cv')) {
      const endsInArguments = this.lastEndsInArguments;
      const { isConversion } = this;
      this.isConversion = true;
      const to = this.type();
      this.isConversion = isConversion;
      this.lastEndsInArguments = endsInArguments;
      return { kind: 'conversion', to };
    }
    if (this.cursor.accept('li')) return { kind: 'sequence', parts: ['operator"" ', this.sourceName()] };
    if (/^v\d/.test(this.cursor.mangled.slice(this.cursor.at, this.cursor.at + 2))) {
      this.cursor.at += 2;
      return { kind: 'sequence', parts: ['operator ', this.sourceName()] };
    }
    const operator = OPERATORS.get(this.cursor.mangled.slice(this.cursor.at, this.cursor.at + 2));
    if (operator === undefined) throw new NotMangled();
    this.cursor.at += 2;
    const sign = operator.sign.trimEnd();
    return text(`operator${/^[a-z]/.test(sign) ? ' ' : ''}${sign}`);
  }
}

function isWithoutReturnType(name: Node): boolean {
  return name.kind === 'constructor' || name.kind === 'destructor' || name.kind === 'conversion';
}

/** The name of this class's constructors. GNU tools name those of an unnamed class after the class around it. */
function lastName(scope: Node): Node {
  let name = scope;
  if (name.kind === 'qualified' && name.name.kind === 'text' && name.name.text.startsWith('{unnamed'))
    name = name.scope;
  while (
    name.kind === 'qualified' ||
    name.kind === 'template' ||
    name.kind === 'tagged' ||
    name.kind === 'inModule' ||
    name.kind === 'local'
  ) {
    name = name.name;
  }
  return name.kind === 'text'
    ? text(name.text.slice(name.text.lastIndexOf('::') + 1).replace(/^:/, ''))
    : (name ?? EMPTY);
}
