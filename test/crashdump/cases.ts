import { readFileSync } from 'node:fs';
import { findCaseFile } from '../support/real-cases.js';

export interface RealCase {
  dump: Uint8Array;
  elf: Uint8Array | null;
  expected: PeerOutput;
}

/** @throws when the dump or its expected output is not there */
export function readCase(name: string): RealCase {
  const read = (file: string) => readFileSync(findCaseFile(name, file) ?? `${name}/${file}`);
  return {
    dump: read('dump.bin'),
    elf: findCaseFile(name, 'firmware.elf') === null ? null : read('firmware.elf'),
    expected: parsePeerOutput(read('expected_output.txt').toString('utf8')),
  };
}

export interface PeerOutput {
  crashed: { tcb: number; name: string } | null;
  reason: string | null;
  registers: Map<string, number>;
  stack: PeerFrame[];
  /** tcb, name, current and base priority, stack used and free */
  tasks: [number, string, string, string][];
  threads: { tcb: number; frames: PeerFrame[] }[];
  memory: string[];
  text: string;
}

export interface PeerFrame {
  /** Null where GDB leaves the address out. */
  pc: number | null;
  function: string;
  file: string | null;
  line: number | null;
}

function parsePeerOutput(text: string): PeerOutput {
  const section = (title: string) =>
    text.split(new RegExp(`^=+ ${title} =+$`, 'm'))[1]?.split(/^=====/m)[0] ?? '';
  const crashed = /^Crashed task handle: (0x\w+), name: '(.*)', GDB/m.exec(text);
  const threads = text.split(/^=+ THREAD \d+ /m).slice(1);
  return {
    crashed: crashed ? { tcb: Number(crashed[1]), name: crashed[2] ?? '' } : null,
    reason: /^Panic reason: (.*)$/m.exec(text)?.[1] ?? null,
    registers: new Map(
      [...section('CURRENT THREAD REGISTERS').matchAll(/^(\w+)\s+(0x[0-9a-f]+)/gm)].map(
        ([, name = '', value]) => [name, Number(value)],
      ),
    ),
    stack: parseFrames(section('CURRENT THREAD STACK')),
    tasks: [...text.matchAll(/^(0x\w+) +(.{1,16}?) +(\d+\/\d+) +(\d+\/\d+)$/gm)].map(
      ([, tcb, name = '', priority = '', stack = '']) => [Number(tcb), name, priority, stack],
    ),
    threads: threads.map((thread) => ({
      tcb: Number(/TCB: (0x\w+)/.exec(thread)?.[1]),
      frames: parseFrames(thread.split(/^=====/m)[0] ?? ''),
    })),
    memory: (section('ALL MEMORY REGIONS') + section('CORE DUMP MEMORY CONTENTS'))
      .split('\n')
      .filter((line) => line.startsWith('0x') || line.startsWith('.coredump')),
    text,
  };
}

function parseFrames(text: string): PeerFrame[] {
  return [...text.matchAll(/^#\d+ +(?:(0x\w+) in )?(\S+) \(.*?(?:\) at (\S+):(\d+))?\)?$/gm)].map(
    ([, pc, name = '', file, line]) => ({
      pc: pc === undefined ? null : Number(pc),
      function: name,
      file: file ?? null,
      line: line === undefined ? null : Number(line),
    }),
  );
}
