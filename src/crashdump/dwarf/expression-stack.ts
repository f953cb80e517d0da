import { type ByteReader, Malformed } from '../bytes.js';
import { asInteger, type StackValue, signedValue, withBits } from './stack-value.js';

/** The stack of a DWARF expression, and the operations on the stack alone (DWARF 5 §2.5.1.3). */
export class ExpressionStack {
  readonly #values: StackValue[] = [];

  get depth(): number {
    return this.#values.length;
  }

  push(value: StackValue): void {
    this.#values.push(value);
  }

  /** @throws Malformed */
  pop(): StackValue {
    const value = this.#values.pop();
    if (value === undefined)
      throw new Malformed('a DWARF expression takes more from its stack than it put there');
    return value;
  }

  /** @throws Malformed */
  popAddress(): number {
    return Number(BigInt.asUintN(32, this.pop().bits));
  }

  /** DW_OP_dup to DW_OP_rot (0x12 to 0x17). @param reader the operands @throws Malformed */
  rearrange(opcode: number, reader: ByteReader): void {
    switch (opcode) {
      case 0x12: // DW_OP_dup
        this.push(this.#peek(0));
        return;
      case 0x13: // DW_OP_drop
        this.pop();
        return;
      case 0x14: // DW_OP_over
        this.push(this.#peek(1));
        return;
      case 0x15: // DW_OP_pick
        this.push(this.#peek(reader.u8()));
        return;
      case 0x16: {
        // DW_OP_swap
        const [top, second] = [this.pop(), this.pop()];
        this.push(top);
        this.push(second);
        return;
      }
      default: {
        // DW_OP_rot
        const [first, second, third] = [this.pop(), this.pop(), this.pop()];
        this.push(first);
        this.push(third);
        this.push(second);
        return;
      }
    }
  }

  /** Replaces the top value by a computed one. @throws Malformed */
  unary(compute: (value: bigint) => bigint, isSigned: boolean): void {
    const value = asInteger(this.pop());
    this.push(withBits(value, compute(isSigned ? signedValue(value) : value.bits)));
  }

  #peek(index: number): StackValue {
    const value = this.#values.at(-1 - index);
    if (value === undefined) throw new Malformed('a DWARF expression looks below its stack');
    return value;
  }
}
