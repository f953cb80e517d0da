import { describe, expect, it } from 'vitest';
import { type CrashReport, fingerprint, type StackFrame } from '../../src/crashdump/index.js';
import { aReport } from '../support/crash-groups.js';

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

    expect(one).toMatch(/^v2:[0-9a-f]{16}$/);
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

  it('is there without an own frame, from the system frames that are known', () => {
    const system = [frame({ function: 'abort' }), frame({ function: null })];

    expect(print(system)).toMatch(/^v2:/);
    expect(print(system)).toBe(print([...system, frame({ function: null, pc: '0x42001234' })]));
    expect(print(system)).not.toBe(print([frame({ function: 'vTaskDelay' })]));
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
    const overflowOf = (crashedTask: string, frames: StackFrame[]) =>
      print(frames, [], { kind: 'STACK_OVERFLOW', crashedTask });

    expect(overflowOf('sensor', [frame({})])).toBe(overflowOf('sensor', []));
    expect(overflowOf('network', [])).not.toBe(overflowOf('sensor', []));
  });

  function print(
    frames: StackFrame[],
    interruptedFrames: StackFrame[] = [],
    facts: Partial<CrashReport> = {},
  ) {
    const report = aReport();
    const tasks = report.tasks.map((task) => ({ ...task, frames, interruptedFrames }));
    return fingerprint({ ...report, culprit: null, ...facts, tasks });
  }
});
