import { MangledCursor, NotMangled } from './cursor.js';
import { type Node, type TemplateScope, text } from './nodes.js';
import { OPERATORS } from './tables.js';

/**
 * `<expression>`, for arguments of templates and array bounds. The grammar is recursive through names and types: this
 * file receives those productions as functions, which `types.ts` and `parser.ts` implement.
 */
export abstract class MangledExpressions {
  protected readonly cursor: MangledCursor;
  protected readonly substitutions: Node[] = [];
  protected scope: TemplateScope = { arguments: null };
  protected isInLambda = false;

  constructor(mangled: string) {
    this.cursor = new MangledCursor(mangled);
  }

  protected abstract cvQualifiers(): string;
  protected abstract encoding(): Node;
  protected abstract operatorName(): Node;
  protected abstract ownArguments(): Node[];
  protected abstract sourceName(): Node;
  protected abstract templateParameter(): Node;
  protected abstract type(): Node;
  protected abstract unqualifiedName(scope: Node | null): Node;
  protected abstract withArguments(name: Node, isSubstitutable: boolean): Node;

  protected expression(): Node {
    return this.cursor.nested(() => {
      const code = this.cursor.peek();
      if (code === 'L') return this.literal();
      if (code === 'T') return this.templateParameter();
      if (/\d/.test(code)) return this.withArguments(this.sourceName(), false);
      if (this.cursor.accept('sr')) {
        const scope = this.type();
        const name = this.unqualifiedName(scope);
        return this.withOwnArguments({ kind: 'qualified', scope, name });
      }
      if (this.cursor.accept('fp')) {
        this.cvQualifiers();
        return text(`{parm#${this.cursor.compactNumber() + 1}}`);
      }
      if (this.cursor.accept('sp')) return { kind: 'expansion', of: this.expression() };
      if (this.cursor.accept('sZ'))
        return { kind: 'sequence', parts: ['sizeof...(', this.expression(), ')'] };
      if (this.cursor.accept('st')) return { kind: 'sequence', parts: ['sizeof (', this.type(), ')'] };
      if (this.cursor.accept('at')) return { kind: 'sequence', parts: ['alignof (', this.type(), ')'] };
      if (this.cursor.accept('cl')) {
        const callee = this.expression();
        return { kind: 'sequence', parts: [callee, '(', this.expressionsToEnd(), ')'] };
      }
      if (this.cursor.accept('cv')) {
        const type = this.type();
        const operand = this.cursor.accept('_') ? this.expressionsToEnd() : this.expression();
        return { kind: 'sequence', parts: ['(', type, ')(', operand, ')'] };
      }
      if (this.cursor.accept('tl')) {
        const type = this.type();
        return { kind: 'sequence', parts: [type, '{', this.expressionsToEnd(), '}'] };
      }
      if (this.cursor.accept('dt'))
        return { kind: 'sequence', parts: [this.expression(), '.', this.member()] };
      if (this.cursor.accept('pt'))
        return { kind: 'sequence', parts: [this.expression(), '->', this.member()] };
      if (this.cursor.accept('on')) return this.withOwnArguments(this.operatorName());
      return this.operation();
    });
  }

  protected literal(): Node {
    this.cursor.expect('L');
    if (this.cursor.accept('_Z')) {
      const encoding = this.encoding();
      this.cursor.expect('E');
      return encoding;
    }
    const code = this.cursor.peek();
    const type = this.type();
    const start = this.cursor.at;
    while (this.cursor.peek() !== 'E') {
      if (this.cursor.isAtEnd()) throw new NotMangled();
      this.cursor.at++;
    }
    const digits = this.cursor.mangled.slice(start, this.cursor.at).replace(/^n/, '-');
    this.cursor.expect('E');
    if (code === 'b' && (digits === '0' || digits === '1')) return text(digits === '1' ? 'true' : 'false');
    const suffix = LITERAL_SUFFIXES.get(code);
    if (suffix !== undefined) return text(digits + suffix);
    return digits === '' ? type : { kind: 'sequence', parts: ['(', type, ')', digits] };
  }

  private member(): Node {
    return this.withOwnArguments(this.unqualifiedName(null));
  }

  private withOwnArguments(name: Node): Node {
    return this.cursor.peek() === 'I' ? { kind: 'template', name, arguments: this.ownArguments() } : name;
  }

  private expressionsToEnd(): Node {
    const elements: Node[] = [];
    while (!this.cursor.accept('E')) elements.push(this.expression());
    return { kind: 'list', elements };
  }

  private operation(): Node {
    const operator = OPERATORS.get(this.cursor.mangled.slice(this.cursor.at, this.cursor.at + 2));
    if (operator === undefined) throw new NotMangled();
    this.cursor.at += 2;
    if (operator.sign === 'sizeof') return { kind: 'sequence', parts: ['sizeof (', this.expression(), ')'] };
    const first = this.expression();
    if (operator.operands === 1) return { kind: 'sequence', parts: [operator.sign, '(', first, ')'] };
    const second = this.expression();
    if (operator.operands === 2) {
      const wrapped = operator.sign === '>';
      const parts = ['(', first, ')', operator.sign, '(', second, ')'];
      return { kind: 'sequence', parts: wrapped ? ['(', ...parts, ')'] : parts };
    }
    return { kind: 'sequence', parts: ['(', first, ')?(', second, ') : (', this.expression(), ')'] };
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
