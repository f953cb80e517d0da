import { type Module, type Node, text } from './nodes.js';
import { SPECIAL_NAMES } from './tables.js';
import { MangledTypes } from './types.js';

/** `<special-name>`: tables, thunks and other things that a compiler makes. */
export abstract class MangledSpecialNames extends MangledTypes {
  protected abstract module(known: Module | null): Module | null;

  protected specialName(): Node | null {
    for (const [code, prefix] of SPECIAL_NAMES) {
      if (!this.cursor.accept(code)) continue;
      if (code === 'GR') {
        const name = this.name();
        // Old compilers write no number.
        const number = this.cursor.isAtEnd() ? 0 : this.cursor.sequenceNumber();
        return { kind: 'special', prefix: `reference temporary #${number} for `, of: name };
      }
      if (code === 'GI') return { kind: 'special', prefix, of: this.module(null) ?? text('') };
      if (code === 'TA') return { kind: 'special', prefix, of: this.templateArgument() };
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
      if (code === 'GTt' || code === 'GTn' || code === 'GA')
        return { kind: 'special', prefix, of: this.encoding() };
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
}
