import { MangledExpressions } from './expressions.js';
import { type Node, text } from './nodes.js';

/** `<template-args>`, `<template-param>` and `<template-param-decl>`. */
export abstract class MangledTemplates extends MangledExpressions {
  /** Inside the type of a conversion operator. */
  protected isConversion = false;

  protected override templateArguments(): Node[] {
    this.cursor.expect('I');
    const { isConversion } = this;
    this.isConversion = false;
    const args: Node[] = [];
    while (!this.cursor.accept('E')) {
      args.push(this.templateArgument());
      // A constraint distinguishes templates for the linker, but is not printed.
      if (this.cursor.accept('Q')) this.expression();
    }
    this.isConversion = isConversion;
    return args;
  }

  protected override templateArgument(): Node {
    return this.cursor.nested(() => this.anyTemplateArgument());
  }

  private anyTemplateArgument(): Node {
    if (this.cursor.accept('X')) {
      const expression = this.expression();
      this.cursor.expect('E');
      return expression;
    }
    // `I` in compilers of before C++11 was final.
    if (this.cursor.accept('J') || this.cursor.accept('I')) {
      const elements: Node[] = [];
      while (!this.cursor.accept('E')) elements.push(this.templateArgument());
      return { kind: 'pack', elements };
    }
    // The declaration of its parameter is mangled where it says more than the argument.
    if (this.isTemplateParameterDeclaration()) {
      this.templateParameterDeclaration([]);
      return this.anyTemplateArgument();
    }
    return this.cursor.peek() === 'L' ? this.literal() : this.type();
  }

  protected override templateParameter(): Node {
    this.cursor.expect('T');
    let level = 0;
    if (this.cursor.accept('L')) {
      level = this.cursor.number() + 1;
      this.cursor.expect('_');
    }
    return { kind: 'templateParameter', index: this.cursor.compactNumber(), level };
  }

  protected isTemplateParameterDeclaration(): boolean {
    return this.cursor.peek() === 'T' && /[ynptk]/.test(this.cursor.peek(1));
  }

  /** @param names receives the invented names of the parameters */
  protected templateParameterDeclaration(names: string[]): Node {
    return this.cursor.nested(() => {
      const { cursor } = this;
      cursor.expect('T');
      const code = cursor.peek();
      cursor.at++;
      const declare = (prefix: string): string => {
        const name = `$${prefix}${names.length}`;
        names.push(name);
        return name;
      };
      if (code === 'y') return text(`typename ${declare('T')}`);
      if (code === 'k') {
        const constraint = this.typeConstraint();
        return { kind: 'sequence', parts: [constraint, ` ${declare('T')}`] };
      }
      if (code === 'n') {
        const name = declare('N');
        return { kind: 'sequence', parts: [this.type(), ` ${name}`] };
      }
      if (code === 'p') {
        const of = this.templateParameterDeclaration(names);
        return { kind: 'packDeclaration', of };
      }
      const name = declare('TT');
      const inner: string[] = [];
      const elements: Node[] = [];
      while (!cursor.accept('E')) {
        if (cursor.accept('Q')) this.expression();
        else elements.push(this.templateParameterDeclaration(inner));
      }
      const list: Node = { kind: 'withoutNames', of: { kind: 'list', elements } };
      return { kind: 'sequence', parts: ['template<', list, `> class ${name}`] };
    });
  }
}
