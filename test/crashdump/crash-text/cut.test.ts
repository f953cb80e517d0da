import { describe, expect, it } from 'vitest';
import { readCrashText } from '../../../src/crashdump/crash-text/read-crash-text.js';
import { expectTrue } from './checks.js';
import { OTHER_SHAPES } from './other-shapes.js';
import { backtrace, guru, hex, named, registerDump, STACK_WORDS, stackMemory } from './printers.js';
import { callsOf, IDF_SHAPES, PAIRS, RISCV, XTENSA } from './shapes.js';

const SHAPES = [...IDF_SHAPES, ...OTHER_SHAPES];
/** A prime, so that each text is cut at other places. */
const STEP = 13;

describe('a text that is cut', () => {
  it.each(SHAPES)('at any line: $name', ({ text }) => {
    const lines = text.split('\r\n');
    for (let at = 1; at < lines.length; at++) {
      for (const part of [lines.slice(0, at), lines.slice(at)]) {
        const bytes = Buffer.from(part.join('\r\n'));
        const crash = readCrashText(bytes);
        if (crash !== null) expectTrue(crash, bytes);
      }
    }
  });

  it.each(SHAPES)('at many bytes: $name', ({ text }) => {
    const bytes = Buffer.from(text);
    for (let at = 1; at < bytes.length; at += STEP) {
      for (const part of [bytes.subarray(0, at), bytes.subarray(at)]) {
        const crash = readCrashText(part);
        if (crash !== null) expectTrue(crash, part);
      }
    }
  });

  it('has what is whole of its backtrace, and says what is missing', () => {
    const text = `abort() was called at PC 0x400d66b9 on core 0\r\n${backtrace(PAIRS).trimEnd()}`;
    const crash = readCrashText(Buffer.from(text.slice(0, -15)));

    expect(crash?.cores[0]).toMatchObject({ calls: callsOf(PAIRS.slice(0, 3)), callsEnd: 'cut' });
    expect(crash?.warnings).toEqual([
      { code: 'TEXT_CUT', message: 'The text is cut or damaged. Missing: the end of the backtrace.' },
    ]);
  });

  it('has the registers that are whole, and names the others', () => {
    const text = guru(0, 'LoadProhibited') + registerDump(0, XTENSA);
    const crash = readCrashText(Buffer.from(text.slice(0, text.indexOf('A15') + 15)));

    expect(crash?.cores[0]?.registers).toEqual(new Map([...named(XTENSA)].slice(0, 17)));
    expect(crash?.warnings).toEqual([
      {
        code: 'TEXT_CUT',
        message:
          'The text is cut or damaged. Missing: the registers A15, SAR, EXCCAUSE, EXCVADDR, LBEG, LEND, LCOUNT; the backtrace.',
      },
    ]);
  });

  it('has registers and backtrace without the line with the reason', () => {
    const crash = readCrashText(Buffer.from(registerDump(1, XTENSA) + backtrace(PAIRS)));

    expect(crash).toMatchObject({
      exceptionName: null,
      isCrash: true,
      cores: [{ core: 1, calls: callsOf(PAIRS) }],
    });
    expect(crash?.warnings).toEqual([
      { code: 'TEXT_CUT', message: 'The text is cut or damaged. Missing: the beginning, with the reason.' },
    ]);
  });

  it('has an exception of which only the first line is there', () => {
    expect(readCrashText(Buffer.from(guru(0, 'LoadProhibited')))).toMatchObject({
      exceptionName: 'LoadProhibited',
      warnings: [{ code: 'TEXT_CUT' }],
    });
    expect(readCrashText(Buffer.from(guru(0, 'LoadProhibited').slice(0, 45)))).toMatchObject({
      exceptionName: null,
    });
  });
});

describe('a text that is damaged', () => {
  it('has no damaged register', () => {
    const text =
      guru(0, 'LoadProhibited') +
      registerDump(0, XTENSA).replace(hex(XTENSA.get('A3') ?? 0), '104?4104') +
      backtrace(PAIRS);
    const crash = readCrashText(Buffer.from(text));

    expect(crash?.cores[0]?.registers).toEqual(new Map([...named(XTENSA)].filter(([name]) => name !== 'a3')));
    expect(crash?.warnings[0]?.message).toBe('The text is cut or damaged. Missing: the registers A3.');
  });

  it('does not join what stands around damaged bytes', () => {
    const text = `abort() was called at PC 0x400d66b9 on core 0\r\n${backtrace(PAIRS).replace('400d66f5', '400d\u0000\u007f66f5')}`;

    expect(readCrashText(Buffer.from(text))?.cores[0]?.calls).toEqual(
      callsOf(PAIRS.filter((_, index) => index !== 1)),
    );
  });

  it('leaves out a damaged entry of the backtrace', () => {
    const text = `abort() was called at PC 0x400d66b9 on core 0\r\n${backtrace(PAIRS).replace('400d66f5', '4\ufffdd66f5')}`;
    const crash = readCrashText(Buffer.from(text));

    expect(crash?.cores[0]?.calls).toEqual(callsOf(PAIRS.filter((_, index) => index !== 1)));
    expect(crash?.warnings[0]?.message).toBe('The text is cut or damaged. Missing: a part of the backtrace.');
  });

  it('keeps the place of stack memory behind damaged words', () => {
    const text =
      guru(0, 'Load access fault') +
      registerDump(0, RISCV) +
      stackMemory(0x3fcad480, STACK_WORDS).replace(`0x${hex(STACK_WORDS[2] ?? 0)}`, '0x42\ufffd026ae');
    const crash = readCrashText(Buffer.from(text));

    expect(crash?.cores[0]?.stack.map(({ address, bytes }) => [address, bytes.length])).toEqual([
      [0x3fcad480, 8],
      [0x3fcad48c, 1012],
    ]);
  });

  it('does not take the words of a log line for stack memory', () => {
    const lines = stackMemory(0x3fcad480, STACK_WORDS);
    const middle = lines.indexOf(`0x${hex(STACK_WORDS[10] ?? 0)}`, lines.indexOf('3fcad4a0'));
    const text =
      guru(0, 'Load access fault') +
      registerDump(0, RISCV) +
      `${lines.slice(0, middle)}I (1) a: b\r\n${lines.slice(middle)}`;

    const crash = readCrashText(Buffer.from(text));

    const [stack] = crash?.cores[0]?.stack ?? [];
    expect(stack?.address).toBe(0x3fcad480);
    expect([...wordsOf(stack?.bytes)]).toEqual(STACK_WORDS);
    expect(crash?.warnings).toEqual([]);
  });

  it.each([
    ['a blank is lost', (line: string) => line.replace(' 0x4200c', '0x4200c')],
    ['a blank is added', (line: string) => line.replace('0x4200c', '0x42 00c')],
    ['a log line has cut it', (line: string) => `${line.slice(0, 53)} I (1) a: b\r\n${line.slice(67)}`],
  ])('does not guess places of stack memory where %s', (_, damage) => {
    const [first = '', second = '', third = '', ...others] = stackMemory(0x3fcad480, STACK_WORDS).split(
      '\r\n',
    );
    const lines = [first, second, third, damage(others[0] ?? ''), ...others.slice(1)];
    const text = guru(0, 'Load access fault') + registerDump(0, RISCV) + lines.join('\r\n');

    const crash = readCrashText(Buffer.from(text));

    for (const { address, bytes } of crash?.cores[0]?.stack ?? []) {
      const at = (address - 0x3fcad480) / 4;
      expect([...wordsOf(bytes)]).toEqual(STACK_WORDS.slice(at, at + bytes.length / 4));
    }
    expect(crash?.warnings[0]?.message).toContain('a part of the stack memory');
  });

  it('joins a word of stack memory that a terminal divided', () => {
    const divided = stackMemory(0x3fcad480, STACK_WORDS).replace(/^(.{80})(.+)$/gm, '$1\r\n$2');
    const crash = readCrashText(Buffer.from(guru(0, 'Load access fault') + registerDump(0, RISCV) + divided));

    expect([...wordsOf(crash?.cores[0]?.stack[0]?.bytes)]).toEqual(STACK_WORDS);
    expect(crash?.warnings).toEqual([]);
  });

  it('goes on with a backtrace behind a line of the log', () => {
    const text = `abort() was called at PC 0x400d66b9 on core 0\r\n${backtrace(PAIRS)}`;
    const blank = text.indexOf(' 0x', text.indexOf(':0x'));
    const log = '\r\nI (900) wifi: <ba-add>idx:0, tid:0\r\n';

    const crash = readCrashText(Buffer.from(text.slice(0, blank) + log + text.slice(blank)));

    expect(crash?.cores[0]?.calls).toEqual(callsOf(PAIRS));
  });

  it('takes no cut number for the address of abort()', () => {
    const crash = readCrashText(Buffer.from('abort() was called at PC 0x400d6'));

    expect(crash).toMatchObject({ details: 'abort() was called at PC 0x400d6', cores: [{ calls: [] }] });
  });

  it('ignores lines of others in between', () => {
    const text =
      guru(0, 'LoadProhibited') +
      'HELP\r\n' +
      registerDump(0, XTENSA).replace('\r\nA6', '\r\nW (900) wifi: timeout\r\nA6') +
      backtrace(PAIRS);

    expect(readCrashText(Buffer.from(text))?.cores[0]).toMatchObject({
      registers: named(XTENSA),
      calls: callsOf(PAIRS),
    });
  });

  it('joins an entry of the backtrace that a terminal divided', () => {
    const text = backtrace(PAIRS).trim();
    const divided = `${text.slice(0, 40)}\r\n${text.slice(40, 70)}\r\n${text.slice(70)}`;

    expect(readCrashText(Buffer.from(divided))?.cores[0]?.calls).toEqual(callsOf(PAIRS));
  });
});

function wordsOf(bytes: Uint8Array | undefined): Uint32Array {
  return new Uint32Array((bytes ?? new Uint8Array()).slice().buffer);
}
