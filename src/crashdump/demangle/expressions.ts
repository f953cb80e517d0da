import { MangledCursor, NotMangled } from './cursor.js';
import { type Module, type Node, text } from './nodes.js';
import { CASTS, OPERATORS, TYPE_OPERATORS } from './tables.js';

/**
 * `<expression>`, for arguments of templates, array bounds and constraints. The grammar is recursive through names and
 * types: this file receives those productions as functions, which `types.ts` and `parser.ts` implement.
 */
export abstract class MangledExpressions {
  protected readonly cursor: MangledCursor;
  protected readonly substitutions: Node[] = [];

  constructor(mangled: string) {
    this.cursor = new MangledCursor(mangled);
  }

  protected abstract cvQualifiers(): string;
  protected abstract encoding(): Node;
  protected abstract operatorName(): Node;
  protected abstract templateArguments(): Node[];
  protected abstract templateArgument(): Node;
  protected abstract sourceName(): Node;
  protected abstract templateParameter(): Node;
  protected abstract type(): Node;
  protected abstract unqualifiedName(scope: Node | null, module?: Module): Node;

  protected expression(): Node {
    return this.cursor.nested(() => {
      const { cursor } = this;
      const code = cursor.peek();
      if (code === 'L') return this.literal();
      if (code === 'T') return this.templateParameter();
      if (/\d/.test(code)) return this.withOwnArguments(this.unqualifiedName(null));
      if (code === 'f' && /[lrLR]/.test(cursor.peek(1)) && !/\d/.test(cursor.peek(2))) return this.fold();
      if (code === 'u') return this.vendorExpression();
      if (cursor.accept('on')) return this.withOwnArguments(sequence(this.operatorName()));
      if (cursor.accept('dn')) return this.destructorName();
      if (cursor.accept('sr')) return this.unresolvedName();
      if (cursor.accept('so')) return this.subobject();
      if (cursor.accept('sp')) return { kind: 'expansion', of: this.expression() };
      if (cursor.accept('sZ')) return { kind: 'packLength', of: this.expression() };
      if (cursor.accept('sP')) return sequence('sizeof...(', this.argumentsToEnd(), ')');
      if (cursor.accept('cl') || cursor.accept('cp')) return this.call();
      if (cursor.accept('cv')) return this.conversion();
      if (cursor.accept('il')) return initializers('', this.expressionsToEnd('E'));
      if (cursor.accept('tl')) return initializers(this.type(), this.expressionsToEnd('E'));
      if (cursor.accept('rq')) return this.requirements(null);
      if (cursor.accept('rQ')) return this.requirements(this.requirementParameters());
      return this.functionParameter() ?? this.designatedInitializer() ?? this.operation();
    });
  }

  protected literal(): Node {
    const { cursor } = this;
    cursor.expect('L');
    if (cursor.accept('_Z') || cursor.accept('Z')) {
      const encoding = this.encoding();
      cursor.expect('E');
      return encoding;
    }
    const code = cursor.peek();
    const type = this.type();
    const start = cursor.at;
    while (cursor.peek() !== 'E') {
      if (cursor.isAtEnd()) throw new NotMangled();
      cursor.at++;
    }
    const digits = cursor.mangled.slice(start, cursor.at).replace(/^n/, '-');
    cursor.expect('E');
    if (code === 'b' && (digits === '0' || digits === '1'))
      return sequence(digits === '1' ? 'true' : 'false');
    const suffix = LITERAL_SUFFIXES.get(code);
    if (suffix !== undefined && digits !== '') return sequence(digits + suffix);
    if (digits === '') return code === 'A' ? sequence('"<', type, '>"') : type;
    return sequence('(', type, ')', /^[fdeg]$/.test(code) ? `[${digits}]` : digits);
  }

  /** `fp_` is the first parameter of the function, `fpT` its `this`. */
  private functionParameter(): Node | null {
    if (this.cursor.accept('fpT')) return text('this');
    if (this.cursor.accept('fL')) {
      this.cursor.number();
      this.cursor.expect('p');
    } else if (!this.cursor.accept('fp')) return null;
    this.cvQualifiers();
    return text(`{parm#${this.cursor.compactNumber() + 1}}`);
  }

  /** A name in a scope that depends on template parameters: `T::value`, `std::is_same<T, U>::value`. */
  private unresolvedName(): Node {
    const { cursor } = this;
    if (cursor.accept('N')) return this.unresolvedLevels(this.unresolvedType());
    if (!/\d/.test(cursor.peek())) return this.qualified(this.unresolvedType(), this.unresolvedBase());
    // Old compilers mangle a type here, without an end.
    const known = this.substitutions.length;
    const levels = cursor.attempt(() => this.unresolvedLevels(this.simpleId()));
    if (levels !== null) return levels;
    this.substitutions.length = known;
    return this.qualified(this.type(), this.unresolvedBase());
  }

  private unresolvedLevels(first: Node): Node {
    let scope = first;
    while (!this.cursor.accept('E')) scope = this.qualified(scope, this.simpleId());
    if (!/\d/.test(this.cursor.peek())) return this.qualified(scope, this.unresolvedBase());
    return this.withOwnArguments(this.qualified(scope, this.sourceName()));
  }

  private unresolvedType(): Node {
    return this.withOwnArguments(this.type());
  }

  private unresolvedBase(): Node {
    if (this.cursor.accept('dn')) return this.destructorName();
    if (this.cursor.accept('on')) return this.withOwnArguments(this.operatorName());
    return this.withOwnArguments(this.unqualifiedName(null));
  }

  private simpleId(): Node {
    return this.withOwnArguments(this.sourceName());
  }

  private destructorName(): Node {
    return sequence('~', /\d/.test(this.cursor.peek()) ? this.simpleId() : this.unresolvedType());
  }

  private qualified(scope: Node, name: Node): Node {
    return { kind: 'qualified', scope, name };
  }

  /** A part of an object: `so <type> <expression> [<offset>] <union selectors> [p] E`. */
  private subobject(): Node {
    const { cursor } = this;
    const type = this.type();
    const of = this.expression();
    const offset = cursor.peek() === '_' || cursor.peek() === 'E' ? '0' : cursor.signedNumber();
    while (cursor.accept('_')) if (/\d/.test(cursor.peek())) cursor.number();
    cursor.accept('p');
    cursor.expect('E');
    return sequence(of, '.<', type, ` at offset ${offset}>`);
  }

  private call(): Node {
    const callee = this.expression();
    return sequence({ kind: 'callee', of: callee }, '(', this.expressionsToEnd('E'), ')');
  }

  private conversion(): Node {
    const type = this.type();
    if (this.cursor.accept('_')) return sequence('(', type, ')(', this.expressionsToEnd('E'), ')');
    return sequence('(', type, ')', operand(this.expression()));
  }

  private vendorExpression(): Node {
    this.cursor.expect('u');
    return sequence(this.sourceName(), '(', this.argumentsToEnd(), ')');
  }

  private argumentsToEnd(): Node {
    const elements: Node[] = [];
    while (!this.cursor.accept('E')) elements.push(this.templateArgument());
    return { kind: 'list', elements };
  }

  /** `(... + x)`, `(x + ...)`, `(1 + ... + x)`. */
  private fold(): Node {
    const code = this.cursor.peek(1);
    this.cursor.at += 2;
    const { sign } = this.operator();
    const first = this.foldOperand();
    if (code === 'l') return sequence(`(...${sign}`, first, ')');
    if (code === 'r') return sequence('(', first, `${sign}...)`);
    return sequence('(', first, `${sign}...${sign}`, this.foldOperand(), ')');
  }

  /** The whole pack is printed by its pattern. */
  private foldOperand(): Node {
    return { kind: 'packPattern', of: operand(this.expression()) };
  }

  private designatedInitializer(): Node | null {
    const { cursor } = this;
    if (cursor.accept('di')) return designated(sequence('.', this.sourceName()), this.expression());
    if (cursor.accept('dx')) return designated(sequence('[', this.expression(), ']'), this.expression());
    if (!cursor.accept('dX')) return null;
    const range = sequence('[', this.expression(), ' ... ', this.expression(), ']');
    return designated(range, this.expression());
  }

  private operation(): Node {
    const { cursor } = this;
    const code = cursor.mangled.slice(cursor.at, cursor.at + 2);
    const typeOperator = TYPE_OPERATORS.get(code);
    if (typeOperator !== undefined) {
      cursor.at += 2;
      return sequence(`${typeOperator}(`, this.type(), ')');
    }
    const cast = CASTS.get(code);
    if (cast !== undefined) {
      cursor.at += 2;
      return sequence(`${cast}<`, this.type(), '>(', this.expression(), ')');
    }
    const { sign, operands } = this.operator();
    if (operands === 0) return sequence(sign);
    if (operands === 1) return this.unary(code, sign);
    if (operands === 3) return code === 'qu' ? this.conditional() : this.newExpression(code);
    const first = this.expression();
    if (code === 'dt' || code === 'pt') return sequence(operand(first), sign, operand(this.member()));
    if (code === 'ix') return sequence(operand(first), '[', this.expression(), ']');
    const parts = [operand(first), sign, operand(this.expression())];
    // So that it is not taken for the end of the template's arguments.
    return sign === '>' ? sequence('(', ...parts, ')') : sequence(...parts);
  }

  private operator() {
    const operator = OPERATORS.get(this.cursor.mangled.slice(this.cursor.at, this.cursor.at + 2));
    if (operator === undefined) throw new NotMangled();
    this.cursor.at += 2;
    return operator;
  }

  private unary(code: string, sign: string): Node {
    if (code === 'gs') {
      const isArray = this.cursor.startsWith('na') || this.cursor.startsWith('da');
      const isAllocation = isArray || this.cursor.startsWith('nw') || this.cursor.startsWith('dl');
      return isAllocation ? sequence('::', this.expression()) : this.qualified(text(''), this.expression());
    }
    const isIncrement = code === 'pp' || code === 'mm';
    const isPostfix = isIncrement && !this.cursor.accept('_');
    const of = this.expression();
    if (isPostfix) return sequence(operand(of), sign);
    if (code === 'nx' || code === 'te') return sequence(sign, '(', of, ')');
    return code === 'ad' ? sequence(sign, { kind: 'addressed', of }) : sequence(sign, operand(of));
  }

  private conditional(): Node {
    const condition = operand(this.expression());
    return sequence(condition, '?', operand(this.expression()), ' : ', operand(this.expression()));
  }

  private newExpression(code: string): Node {
    const placement = this.expressionsToEnd('_');
    const type = this.type();
    const parts: (Node | string)[] = [code === 'na' ? 'new[] ' : 'new '];
    if (placement.elements.length > 0) parts.push('(', placement, ') ');
    parts.push(type);
    if (this.cursor.accept('E')) return sequence(...parts);
    if (this.cursor.accept('pi')) return sequence(...parts, '(', this.expressionsToEnd('E'), ')');
    if (!this.cursor.startsWith('il')) throw new NotMangled();
    return sequence(...parts, this.expression());
  }

  private member(): Node {
    if (this.cursor.startsWith('sr') || this.cursor.startsWith('gs')) return this.expression();
    if (this.cursor.accept('dn')) return this.destructorName();
    const isOperator = this.cursor.accept('on') || !/[\dL]/.test(this.cursor.peek());
    const name = this.unqualifiedName(null);
    return this.withOwnArguments(isOperator ? sequence(name) : name);
  }

  protected withOwnArguments(name: Node): Node {
    return this.cursor.peek() === 'I'
      ? { kind: 'template', name, arguments: this.templateArguments() }
      : name;
  }

  private expressionsToEnd(end: string): Extract<Node, { kind: 'list' }> {
    const elements: Node[] = [];
    while (!this.cursor.accept(end)) elements.push(this.expression());
    return { kind: 'list', elements };
  }

  private requirementParameters(): Node {
    const elements: Node[] = [];
    while (!this.cursor.accept('_')) elements.push(this.type());
    return sequence('(', { kind: 'list', elements }, ') ');
  }

  /** `requires { … }`. */
  private requirements(parameters: Node | null): Node {
    const { cursor } = this;
    const parts: (Node | string)[] = ['requires ', ...(parameters === null ? [] : [parameters]), '{'];
    while (!cursor.accept('E')) {
      if (cursor.accept('T')) parts.push(' typename ', this.type(), ';');
      else if (cursor.accept('Q')) parts.push(' requires ', this.expression(), ';');
      else {
        cursor.expect('X');
        const expression = this.expression();
        const noexcept = cursor.accept('N') ? ' noexcept' : '';
        const constraint = cursor.accept('R') ? [' -> ', this.typeConstraint()] : [];
        const isPlain = noexcept === '' && constraint.length === 0;
        parts.push(...(isPlain ? [' ', expression] : [' {', expression, `}${noexcept}`, ...constraint]), ';');
      }
    }
    return sequence(...parts, ' }');
  }

  protected abstract typeConstraint(): Node;
}

function sequence(...parts: (Node | string)[]): Node {
  return { kind: 'sequence', parts };
}

/** In parentheses, unless it is a name. */
function operand(of: Node): Node {
  return { kind: 'operand', of };
}

function initializers(type: Node | string, elements: Node): Node {
  return { kind: 'initializers', parts: [type, '{', elements, '}'] };
}

function designated(designator: Node, value: Node): Node {
  const isChained = value.kind === 'designated';
  return { kind: 'designated', parts: isChained ? [designator, value] : [designator, '=', operand(value)] };
}

const LITERAL_SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['i', ''],
  ['j', 'u'],
  ['l', 'l'],
  ['m', 'ul'],
  ['x', 'll'],
  ['y', 'ull'],
]);
