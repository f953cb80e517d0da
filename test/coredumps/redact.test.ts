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
    [
      '* 1    process 1070106704 send (key=0x3fc8ea9c "secret", at={x = 1}) at main.c:3',
      '* 1    process 1070106704 send (key=0x3fc8ea9c <redacted>, at=<redacted>) at main.c:3',
    ],
    [
      `#5  run (quote=34 '"', key=0x3fc8 'a' <repeats 12 times>, "\\"\\\\", 'b' <repeats 20 times>, n=3) at a.c:1`,
      `#5  run (quote=34 '"', key=0x3fc8 <redacted>, n=3) at a.c:1`,
    ],
    [
      "#6  braces (at={open = 123 '{', close = 125 '}', pin = 4711}, n=3) at a.c:1",
      '#6  braces (at=<redacted>, n=3) at a.c:1',
    ],
    [
      '#7  0x42009351 in fw::send (key=&[u8] [115, 3, 0 <repeats 12 times>], at=fw::Point {x: 1}, both=(1, 2), some=core::option::Option<u32>::Some(4), n=3) at main.rs:3',
      '#7  0x42009351 in fw::send (key=&<redacted>, at=fw::Point <redacted>, both=<redacted>, some=core::option::Option<u32>::Some(4), n=3) at main.rs:3',
    ],
    [
      '#8  call (to=0x42001340 <on(int, char)::{lambda()#1}::operator()() const>, flags=(A | B), to@entry=<error: Cannot access memory at address 0x3f>) at a.cpp:9',
      '#8  call (to=0x42001340 <on(int, char)::{lambda()#1}::operator()() const>, flags=(A | B), to@entry=<error: Cannot access memory at address 0x3f>) at a.cpp:9',
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
