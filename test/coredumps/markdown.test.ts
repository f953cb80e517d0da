import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CrashToDescribe,
  crashMarkdown,
  MAX_MARKDOWN_BYTES,
  type MarkdownLinks,
} from '../../src/coredumps/markdown.js';
import type { CrashReport, StackFrame } from '../../src/crashdump/index.js';
import { aReport } from '../support/crash-groups.js';

const LINKS: MarkdownLinks = { pageUrl: 'https://coredock.example', needsToken: true };

/** A crash with `text` in every text that comes from a device, its firmware or a person. */
function aCrash(text: string, { frames = 1, warnings = 1 } = {}): CrashToDescribe {
  const report = aReport();
  const [task] = report.tasks;
  const [, known] = task?.frames ?? [];
  if (task === undefined || known === undefined) throw new Error('the report has no frame');
  const frame = (index: number): StackFrame => ({
    ...known,
    ...{ index, function: text, file: text, arguments: [{ name: text, value: text }] },
  });
  const all = Array.from({ length: frames }, (_, index) => frame(index));
  const full: CrashReport = {
    ...report,
    ...{ reason: text, explanation: text, crashedTask: text, chip: text },
    registers: [{ name: text, value: text, symbol: text, meaning: text }],
    warnings: Array.from({ length: warnings }, () => ({ code: 'OTHER' as const, message: text })),
    tasks: [
      { ...task, name: text, frames: all, backtraceEnd: text, interruptedFrames: all },
      { ...task, name: text, crashed: false, waitingFor: text, frames: all },
    ],
  };
  return {
    dump: {
      ...{
        id: 'Q29yZWR1bXA6MQ==',
        kind: 'CORE_DUMP',
        filename: text,
        crashVersion: text,
        firmwareVersion: `${text}1`,
        chip: text,
      },
      ...{
        sha256: text,
        parseStatus: 'PARSED',
        uploadedAt: new Date('2026-11-29T19:20:11.123Z'),
        hasRaw: true,
      },
    },
    device: { key: text, serial: text, name: `${text}1` },
    model: { code: text, name: `${text}1` },
    build: { id: 'RmlybXdhcmU6Mg==', version: text, elfSha256: text, revision: text },
    group: { id: 'Q3Jhc2hHcm91cDoz', title: text, count: 3, deviceCount: 1 },
    report: full,
    output: null,
  };
}

const FRAGMENTS = [
  ...[
    '`',
    '``',
    '```',
    '````text',
    '~~~',
    '\n',
    '\r',
    '\n\n',
    '# ',
    '- ',
    '> ',
    '1. ',
    '    ',
    '\t',
    '|',
    '---',
    '===',
  ],
  ...[
    '<script>',
    '</details>',
    '<!--',
    '-->',
    '<https://evil.example>',
    '[x](javascript:alert(1))',
    '![x](//evil)',
  ],
  ...[
    '[x]: //evil',
    '@root',
    '#12',
    'https://evil.example',
    'www.evil.example',
    'me@evil.example',
    '&lt;',
    '&#64;',
  ],
  ...[
    '\\',
    '*',
    '**',
    '_',
    '__',
    '$x$',
    ':',
    '\0',
    '\u001b[2J',
    '\u202e',
    '\u2028',
    '\ud800',
    'é',
    ' ',
    'a',
    'b',
  ],
];
const hostile = fc
  .array(fc.constantFrom(...FRAGMENTS), { maxLength: 12 })
  // Never empty: a fact without a text is left out.
  .map((parts) => `${parts.join('')}x`);

describe('a crash as Markdown', () => {
  it('has no markup that a device wrote', () => {
    const harmless = blocksOf(crashMarkdown(aCrash('x'), LINKS));

    fc.assert(
      fc.property(hostile, (text) => {
        const blocks = blocksOf(crashMarkdown(aCrash(text), LINKS));

        expect(blocks.map(({ kind }) => kind)).toEqual(harmless.map(({ kind }) => kind));
        for (const { kind, text: line } of blocks) if (kind !== 'code') expectInert(line);
      }),
      { numRuns: 200 },
    );
  });

  it('has at most 64 KiB, whatever the crash', () => {
    for (const text of [
      '`@\u202e'.repeat(1_000),
      '\ud83d\ude00'.repeat(1_000),
      '@'.repeat(2_000),
      '`a'.repeat(2_000),
    ]) {
      const markdown = crashMarkdown(aCrash(text, { frames: 200, warnings: 200 }), {
        ...LINKS,
        sourceUrlOf: () => `https://git.example/${'a'.repeat(490)}`,
      });

      expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(MAX_MARKDOWN_BYTES);
    }
  });

  it('says what crashed where, with links, the own frames and the commands for GDB', () => {
    const crash = aCrash('x');
    const markdown = crashMarkdown(
      {
        ...crash,
        dump: { ...crash.dump, crashVersion: '1.4.0', firmwareVersion: '1.4.1' },
        device: { key: 'dev1', serial: 'SN-7', name: 'Kitchen' },
        group: {
          id: 'Q3Jhc2hHcm91cDoz',
          title: 'LoadProhibited in sensor_read (sensor.c)',
          count: 3,
          deviceCount: 1,
        },
        report: { ...aReport(), explanation: 'NULL pointer read in `sensor_read` at sensor.c:88' },
      },
      LINKS,
    );

    expect(markdown).toContain(
      '# LoadProhibited in sensor_read (sensor.c)\n\nNULL pointer read in `sensor_read` at sensor.c:88\n',
    );
    expect(markdown).toContain('- **Crash**: <https://coredock.example/dumps/Q29yZWR1bXA6MQ%3D%3D>');
    expect(markdown).toContain('- **Version**: `1.4.0` (the device reported `1.4.1`)');
    expect(markdown).toContain('- **Device**: Kitchen (`dev1`), serial `SN-7`');
    expect(markdown).toContain('- **Arrived**: 2026-11-29 19:20:11 UTC');
    expect(markdown).toContain(
      '- **Group**: 3 crashes on 1 device, <https://coredock.example/groups/Q3Jhc2hHcm91cDoz>',
    );
    expect(markdown).toContain(
      '\n  #0  0x42000000 in panic_abort () at /idf/panic.c:88\n> #1  0x42000000 in sensor_read (password=',
    );
    expect(markdown).toContain(
      'curl -fo core.elf -H "Authorization: Bearer $COREDOCK_TOKEN" "https://coredock.example/api/coredumps/Q29yZWR1bXA6MQ%3D%3D/core.elf"',
    );
    expect(markdown).toContain('\nriscv32-esp-elf-gdb firmware.elf core.elf\n');
  });

  it('leads nowhere without links', () => {
    const markdown = crashMarkdown(aCrash('x'), null);

    expect(markdown).not.toMatch(/Q29yZWR1bXA6MQ|Q3Jhc2hHcm91cDoz|RmlybXdhcmU6Mg|https:|curl/);
    expect(markdown).toContain('- **Group**: 3 crashes on 1 device\n');
  });
});

interface Block {
  kind: string;
  text: string;
}

/** The blocks of CommonMark that the text can have: a line is one, and so is fenced code. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let fence: string | null = null;
  // All characters that end a line.
  for (const line of markdown.split(/\r\n|\n|\r/)) {
    const [, opened] = /^(`{3,}|~{3,})[^`]*$/.exec(line) ?? [];
    if (fence !== null) {
      if (opened?.startsWith(fence) === true && line.trim() === opened) fence = null;
    } else if (opened !== undefined) {
      fence = opened;
      blocks.push({ kind: 'code', text: '' });
    } else if (line.trim() !== '') blocks.push({ kind: kindOf(line), text: line });
  }
  if (fence !== null) throw new Error('a code block does not end');
  return blocks;
}

function kindOf(line: string): string {
  if (line === '<details><summary>Registers</summary>' || line === '</details>') return line;
  const [marker] = /^(#{1,6} |- |\d+[.)] |[>|+*=~-]| {4}|\t|<)/.exec(line) ?? ['paragraph'];
  return marker;
}

/** Without its code, its escapes and what the text itself writes, a line has no character that makes markup. */
function expectInert(line: string): void {
  const own = line
    .replace(/^(?:<details><summary>Registers<\/summary>|<\/details>)$/, '')
    .replace(/^(?:#{1,2}|-) (?:\*\*[A-Za-z0-9 -]+\*\*: )?/, '')
    .replace(/<https:\/\/coredock\.example\/[\w/%]+>/g, '');
  expect(withoutCode(own)).not.toMatch(/[\\`*<>&[\]|~$]|[@#][\w]|:\/\/|www\.|[\u202e\u2028]|\p{Cc}/iu);
}

/** Code spans and escaped characters are removed, from the left as CommonMark reads them. */
function withoutCode(line: string): string {
  let rest = '';
  for (let at = 0; at < line.length; ) {
    const run = /^`+/.exec(line.slice(at))?.[0];
    if (run !== undefined) {
      const end = [...line.matchAll(/`+/g)].find(({ 0: found, index }) => index > at && found === run);
      if (end === undefined) return `${rest}${line.slice(at)}`;
      at = end.index + run.length;
    } else if (line[at] === '\\' && /[!-/:-@[-`{-~]/.test(line[at + 1] ?? '')) at += 2;
    else {
      rest += line[at];
      at += 1;
    }
  }
  return rest;
}
