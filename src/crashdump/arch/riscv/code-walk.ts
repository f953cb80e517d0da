import type { Place } from './frame.js';
import { type Instruction, isLinkRegister } from './instruction.js';
import { RA, SP } from './registers.js';

/** A register or a word of the stack while code is followed; `value` is null where it cannot be known. */
export interface Tracked {
  value: number | null;
  /** Where the value was before; null when the code computed it. */
  place: Place | null;
}

export interface WalkState {
  pc: number;
  registers: ReadonlyMap<number, Tracked>;
  /** Words that the code itself stored. */
  memory: ReadonlyMap<number, Tracked>;
}

/** Where a walk left the function. */
export interface Exit extends WalkState {
  /** The register that was jumped to; null for a jump to another function. */
  link: number | null;
  /** By the return of an interrupt handler, which nobody called. */
  isOfTrap: boolean;
}

export interface Code {
  instructionAt(address: number): Instruction | null;
  hasCode(address: number): boolean;
  /** Whether a function begins here, by the symbol table. */
  isFunctionStart(address: number): boolean;
  /** A word of the dumped memory. */
  word(address: number): number | null;
  /** How many more instructions the report may follow. */
  budget: { instructions: number };
}

export const UNKNOWN: Tracked = { value: null, place: null };
const MAX_INSTRUCTIONS = 4_000;
const MAX_EXITS = 6;
/** Words that the code may store; a prologue stores a dozen. */
const MAX_STORED = 256;
/** A call in between makes what comes behind it less certain: the callee may never return. */
const CALL_COST = 50;
/** In instructions: what a branch costs, because it is followed both ways. */
const COPY_COST = 8;
const CALLER_SAVED = [RA, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31];

interface Branch extends WalkState {
  cost: number;
}

/**
 * Follows code in all directions, each instruction once, without running what it calls, and keeps track of registers
 * and of the words that it stores.
 * @param stopAt ends the walk with the state before this instruction, or behind the call in front of it
 */
export function walkCode(
  start: WalkState,
  code: Code,
  stopAt: number | null,
): { exits: Exit[]; at: WalkState | null } {
  const exits: Exit[] = [];
  const visited = new Set<number>();
  const open: Branch[] = [{ ...start, cost: 0 }];
  for (let branch = open.pop(); branch !== undefined && exits.length < MAX_EXITS; branch = open.pop()) {
    const registers = new Map(branch.registers);
    const memory = new Map(branch.memory);
    let { pc, cost } = branch;
    for (;;) {
      if (pc === stopAt) return { exits, at: { pc, registers, memory } };
      if (visited.has(pc) || visited.size >= MAX_INSTRUCTIONS || memory.size > MAX_STORED) break;
      if (code.budget.instructions-- <= 0) return { exits: [], at: null };
      visited.add(pc);
      const instruction = code.instructionAt(pc);
      if (instruction === null) break;
      cost++;
      if (instruction.kind === 'trapReturn')
        exits.push({ pc, registers, memory, link: null, isOfTrap: true });
      const next = (pc + instruction.size) >>> 0;
      const step = execute(instruction, pc, registers, memory, code);
      if (step === 'dead') break;
      if (step === 'call') {
        cost += CALL_COST;
        if (next !== stopAt && code.isFunctionStart(next)) break;
        for (const register of CALLER_SAVED) registers.set(register, UNKNOWN);
        pc = next;
      } else if (typeof step === 'object') {
        if ('exit' in step) {
          exits.push({ pc, registers, memory, link: step.exit, isOfTrap: false });
          break;
        }
        if (step.isOptional) {
          code.budget.instructions -= COPY_COST + memory.size / 4;
          if (!visited.has(step.target))
            insert(open, { pc: step.target, registers: new Map(registers), memory: new Map(memory), cost });
        } else if (code.isFunctionStart(step.target) || !code.hasCode(step.target))
          exits.push({
            pc,
            registers: new Map(registers),
            memory: new Map(memory),
            link: null,
            isOfTrap: false,
          });
        pc = step.isOptional ? next : step.target;
      } else pc = next;
    }
  }
  return { exits, at: null };
}

/** The cheapest branch stays last. */
function insert(open: Branch[], branch: Branch): void {
  let low = 0;
  let high = open.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((open[middle]?.cost ?? 0) > branch.cost) low = middle + 1;
    else high = middle;
  }
  open.splice(low, 0, branch);
}

type Outcome = 'next' | 'call' | 'dead' | { exit: number } | { target: number; isOptional: boolean };

function execute(
  instruction: Instruction,
  pc: number,
  registers: Map<number, Tracked>,
  memory: Map<number, Tracked>,
  code: Code,
): Outcome {
  const get = (register: number): Tracked =>
    register === 0 ? { value: 0, place: null } : (registers.get(register) ?? UNKNOWN);
  const set = (register: number, value: Tracked) => {
    if (register !== 0) registers.set(register, value);
  };
  const computed = (value: number | null): Tracked => ({
    value: value === null ? null : value >>> 0,
    place: null,
  });
  const load = (base: Tracked, offset: number): Tracked => {
    if (base.value === null) return UNKNOWN;
    const address = (base.value + offset) >>> 0;
    return memory.get(address) ?? { value: code.word(address), place: address };
  };
  const store = (base: Tracked, offset: number, value: Tracked) => {
    if (base.value !== null) memory.set((base.value + offset) >>> 0, value);
  };
  switch (instruction.kind) {
    case 'addImmediate': {
      const from = get(instruction.rs1);
      if (instruction.immediate === 0) set(instruction.rd, from);
      else set(instruction.rd, computed(from.value === null ? null : from.value + instruction.immediate));
      return 'next';
    }
    case 'add':
    case 'subtract': {
      const [a, b] = [get(instruction.rs1), get(instruction.rs2)];
      if (a.value === null || b.value === null) set(instruction.rd, UNKNOWN);
      else set(instruction.rd, computed(instruction.kind === 'add' ? a.value + b.value : a.value - b.value));
      return 'next';
    }
    case 'constant':
      set(instruction.rd, computed(instruction.value));
      return 'next';
    case 'loadWord':
      set(instruction.rd, load(get(instruction.rs1), instruction.immediate));
      return 'next';
    case 'storeWord':
      store(get(instruction.rs1), instruction.immediate, get(instruction.rs2));
      return 'next';
    case 'branch':
      return { target: instruction.target, isOptional: true };
    case 'jump':
      if (instruction.rd === RA) return 'call';
      set(instruction.rd, computed(pc + instruction.size));
      return { target: instruction.target, isOptional: false };
    case 'jumpRegister': {
      const { rd, rs1, immediate } = instruction;
      const to = get(rs1);
      if (rd === RA) return 'call';
      set(rd, computed(pc + instruction.size));
      const isReturn = isLinkRegister(rs1) && !isLinkRegister(rd);
      // A far jump, an entry of a table, or the return of a helper that this code itself called by `jal t0`.
      const isKnown = to.value !== null && (!isReturn || to.place === null);
      if (isKnown) return { target: ((to.value ?? 0) + immediate) >>> 0, isOptional: false };
      return isReturn ? { exit: rs1 } : 'dead';
    }
    case 'push': {
      const sp = get(SP);
      for (const [index, register] of instruction.registers.toReversed().entries())
        store(sp, -4 * (index + 1), get(register));
      set(SP, computed(sp.value === null ? null : sp.value - instruction.adjustment));
      return 'next';
    }
    case 'pop':
    case 'popReturn': {
      const sp = get(SP);
      const top = computed(sp.value === null ? null : sp.value + instruction.adjustment);
      for (const [index, register] of instruction.registers.toReversed().entries())
        set(register, load(top, -4 * (index + 1)));
      set(SP, top);
      return instruction.kind === 'popReturn' ? { exit: RA } : 'next';
    }
    case 'stop':
    case 'trapReturn':
      return 'dead';
    case 'other':
      if (instruction.rd !== null) set(instruction.rd, UNKNOWN);
      return 'next';
  }
}
