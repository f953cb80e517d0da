/** The table of call-frame information (DWARF 5 §6.4): computes the row of one address. */
import { type ByteReader, Malformed } from '../bytes.js';
import type { CfiRow, CfiRule } from '../unwind/cfi-row.js';
import type { CommonInformation, FrameDescription } from './call-frame-entries.js';

interface State {
  cfa: { register: number; offset: number } | null;
  rules: Map<number, CfiRule>;
}

/** A function has a few dozen call-frame instructions. */
const MAX_INSTRUCTIONS = 100_000;
const MAX_REMEMBERED = 256;

/** Null where the instructions are broken, or use an expression for the CFA. */
export function computeRow({ common, start, instructions }: FrameDescription, pc: number): CfiRow | null {
  try {
    const initial: State = { cfa: null, rules: new Map() };
    execute(common.instructions, common, initial, initial, { location: 0, pc: Number.POSITIVE_INFINITY });
    const state: State = { cfa: initial.cfa, rules: new Map(initial.rules) };
    execute(instructions, common, state, initial, { location: start, pc });
    return state.cfa === null
      ? null
      : { cfa: state.cfa, rules: state.rules, returnAddressRegister: common.returnAddressRegister };
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/**
 * The size of the frame when it is whole: the largest distance between the CFA and `register` in the described code.
 * Null when the CFA is never computed by that register.
 */
export function wholeFrameSize(
  { common, start, instructions }: FrameDescription,
  register: number,
): number | null {
  let cfa: State['cfa'] = null;
  let largest: number | null = null;
  const state: State = {
    rules: new Map(),
    get cfa() {
      return cfa;
    },
    set cfa(value) {
      cfa = value;
      if (value?.register === register) largest = Math.max(largest ?? value.offset, value.offset);
    },
  };
  const everything = { location: start, pc: Number.POSITIVE_INFINITY };
  execute(common.instructions, common, state, state, everything);
  execute(instructions, common, state, { cfa, rules: new Map(state.rules) }, everything);
  return largest;
}

/** Runs instructions until their location passes `pc` (DWARF 5 §6.4.2, §6.4.3). */
function execute(
  program: ByteReader,
  common: CommonInformation,
  state: State,
  initial: State,
  { location, pc }: { location: number; pc: number },
): void {
  const code = program.slice(program.what, 0, program.length);
  const remembered: State[] = [];
  let here = location;
  const advance = (delta: number) => {
    here += delta * common.codeAlignment;
  };
  const offsetRule = (factored: number): CfiRule => ({
    kind: 'offset',
    offset: factored * common.dataAlignment,
  });
  const restore = (register: number) => {
    const rule = initial.rules.get(register);
    if (rule === undefined) state.rules.delete(register);
    else state.rules.set(register, rule);
  };

  for (let budget = MAX_INSTRUCTIONS; !code.atEnd && here <= pc; budget--) {
    if (budget === 0) throw new Malformed('too many call-frame instructions');
    const opcode = code.u8();
    const operand = opcode & 0x3f;
    switch (opcode >> 6) {
      case 1: // DW_CFA_advance_loc
        advance(operand);
        continue;
      case 2: // DW_CFA_offset
        state.rules.set(operand, offsetRule(code.uleb128()));
        continue;
      case 3: // DW_CFA_restore
        restore(operand);
        continue;
      default:
    }
    switch (opcode) {
      case 0x00: // DW_CFA_nop
        break;
      case 0x01: // DW_CFA_set_loc
        here = common.readAddress(code);
        break;
      case 0x02: // DW_CFA_advance_loc1
        advance(code.u8());
        break;
      case 0x03: // DW_CFA_advance_loc2
        advance(code.u16());
        break;
      case 0x04: // DW_CFA_advance_loc4
        advance(code.u32());
        break;
      case 0x05: // DW_CFA_offset_extended
        state.rules.set(code.uleb128(), offsetRule(code.uleb128()));
        break;
      case 0x06: // DW_CFA_restore_extended
        restore(code.uleb128());
        break;
      case 0x07: // DW_CFA_undefined
        state.rules.set(code.uleb128(), { kind: 'undefined' });
        break;
      case 0x08: // DW_CFA_same_value
        state.rules.set(code.uleb128(), { kind: 'same' });
        break;
      case 0x09: // DW_CFA_register
        state.rules.set(code.uleb128(), { kind: 'register', register: code.uleb128() });
        break;
      case 0x0a: // DW_CFA_remember_state
        if (remembered.length >= MAX_REMEMBERED) throw new Malformed('too many remembered call-frame states');
        remembered.push({ cfa: state.cfa, rules: new Map(state.rules) });
        break;
      case 0x0b: {
        // DW_CFA_restore_state
        const earlier = remembered.pop();
        if (earlier === undefined) throw new Malformed('no call-frame state to restore');
        state.cfa = earlier.cfa;
        state.rules = earlier.rules;
        break;
      }
      case 0x0c: // DW_CFA_def_cfa
        state.cfa = { register: code.uleb128(), offset: code.uleb128() };
        break;
      case 0x0d: // DW_CFA_def_cfa_register; GAS writes it first of all, meaning offset 0
        state.cfa = { register: code.uleb128(), offset: state.cfa?.offset ?? 0 };
        break;
      case 0x0e: // DW_CFA_def_cfa_offset
        state.cfa = { register: state.cfa?.register ?? common.stackPointer, offset: code.uleb128() };
        break;
      case 0x0f: // DW_CFA_def_cfa_expression
        code.skip(code.uleb128());
        state.cfa = null;
        break;
      case 0x10: // DW_CFA_expression
      case 0x16: // DW_CFA_val_expression
        state.rules.set(code.uleb128(), { kind: 'undefined' });
        code.skip(code.uleb128());
        break;
      case 0x11: // DW_CFA_offset_extended_sf
        state.rules.set(code.uleb128(), offsetRule(code.sleb128()));
        break;
      case 0x12: // DW_CFA_def_cfa_sf
        state.cfa = { register: code.uleb128(), offset: code.sleb128() * common.dataAlignment };
        break;
      case 0x13: // DW_CFA_def_cfa_offset_sf
        state.cfa = {
          register: state.cfa?.register ?? common.stackPointer,
          offset: code.sleb128() * common.dataAlignment,
        };
        break;
      case 0x14: // DW_CFA_val_offset
        state.rules.set(code.uleb128(), { kind: 'valOffset', offset: code.uleb128() * common.dataAlignment });
        break;
      case 0x15: // DW_CFA_val_offset_sf
        state.rules.set(code.uleb128(), { kind: 'valOffset', offset: code.sleb128() * common.dataAlignment });
        break;
      case 0x2e: // DW_CFA_GNU_args_size
        code.uleb128();
        break;
      default:
        throw new Malformed(`call-frame instruction 0x${opcode.toString(16)} is not known`);
    }
  }
}
