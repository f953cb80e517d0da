import { describe, expect, it } from 'vitest';
import type { StackFrame } from '../../src/crashdump/index.js';
import { fingerprint } from '../../src/crashdump/report/fingerprint.js';
import { culpritFrames } from '../../src/crashdump/report/system-frames.js';

describe('the fingerprint', () => {
  const frame = (overrides: Partial<StackFrame>): StackFrame => ({
    index: 0,
    pc: '0x42000000',
    function: 'sensor_read',
    file: '/build/a/sensor.c',
    line: 88,
    inlined: false,
    trust: 'cfi',
    inRom: false,
    atLineStart: false,
    arguments: [],
    ...overrides,
  });
  const app = frame({ function: 'app_main', file: '/build/a/main.c' });

  it('stays the same when addresses, lines, folders, system frames and recursion depth change', () => {
    const one = print([frame({ function: 'abort' }), frame({}), app]);
    const other = print([
      frame({ function: 'panic_abort' }),
      frame({ function: null, inRom: true }),
      frame({ pc: '0x42ffff00', line: 99, file: 'C:\\src\\sensor.c' }),
      frame({ line: 12 }),
      app,
      frame({ function: 'vPortTaskWrapper' }),
    ]);

    expect(one).toMatch(/^v1:[0-9a-f]{16}$/);
    expect(other).toBe(one);
  });

  it('differs by function and by file', () => {
    const prints = [
      print([frame({}), app]),
      print([frame({ function: 'sensor_write' }), app]),
      print([frame({ file: 'other.c' }), app]),
    ];

    expect(new Set(prints).size).toBe(3);
  });

  it('is none when no own frame is known', () => {
    expect(print([frame({ function: 'abort' }), frame({ function: null })])).toBeNull();
  });

  it('of an interrupt that only found the crash is that of the task which it interrupted', () => {
    const found = print(
      [frame({ function: 'task_wdt_isr' }), frame({ function: '_interrupt_handler' })],
      [frame({}), app],
    );
    const ofItsOwn = print([frame({ function: 'gpio_isr' })], [frame({}), app]);

    expect(found).toBe(print([frame({}), app]));
    expect(ofItsOwn).toBe(print([frame({ function: 'gpio_isr' })]));
  });

  it('of an overflowed stack is that of its task, wherever the overflow was found', () => {
    expect(fingerprint([frame({})], 'sensor')).toBe(fingerprint([], 'sensor'));
    expect(fingerprint([], 'network')).not.toBe(fingerprint([], 'sensor'));
  });

  function print(frames: StackFrame[], interruptedFrames: StackFrame[] = []) {
    return fingerprint(culpritFrames({ frames, interruptedFrames }));
  }
});
