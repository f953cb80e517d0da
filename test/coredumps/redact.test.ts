import { describe, expect, it } from 'vitest';
import { redactOutput } from '../../src/coredumps/redact.js';

describe('text for viewers', () => {
  it.each([
    [
      '#0  send (key=0x3fc8ea9c "secret \\"in\\" quotes", n=3) at main.c:3',
      '#0  send (key=0x3fc8ea9c <redacted>, n=3) at main.c:3',
    ],
    [
      '#1  0x42009351 in send (at={x = 1, y = {z = "a"}}, n=3) at main.c:3',
      '#1  0x42009351 in send (at=<redacted>, n=3) at main.c:3',
    ],
    ['#2  cut (text=0x3fc8 "never ends', '#2  cut (text=0x3fc8 <redacted>'],
    ['#3  long (text=0x3fc8 "aaaa"..., n=1) at a.c:1', '#3  long (text=0x3fc8 <redacted>, n=1) at a.c:1'],
    [
      '#4  run(int)::{lambda(int)#1}::operator() (this=0x3f) at a.cpp:9',
      '#4  run(int)::{lambda(int)#1}::operator() (this=0x3f) at a.cpp:9',
    ],
    ['Panic reason: assert failed: "x"', 'Panic reason: assert failed: "x"'],
  ])('%s', (line, redacted) => {
    expect(redactOutput(line)).toBe(redacted);
  });

  it('has no memory section, and goes on after it', () => {
    const output = [
      '======================= ALL MEMORY REGIONS ========================',
      '.text 0x42000000 0x1000 R XA',
      '====================== CORE DUMP MEMORY CONTENTS ========================',
      '.coredump.tasks.data 0x3fc88850 0x154 RW ',
      '0x3fc88850:\t0x70617373\t0x776f7264',
      '',
      '===================== ESP32 CORE DUMP END =====================',
      'Done!',
    ].join('\n');

    const redacted = redactOutput(output);

    expect(redacted).not.toMatch(/0x70617373|tasks\.data/);
    expect(redacted).toContain('R XA');
    expect(redacted).toMatch(/CORE DUMP END =+\nDone!$/);
  });
});
