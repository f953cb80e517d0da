import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { buildForHost, type HostProgram, hasGcc, WITH_SUMMARIES } from './support/build-device.js';
import { panicFile, stateOf, xtensaState } from './support/panic-file.js';
import type { RecordedRequest } from './support/recording-server.js';
import { aSummaryDevice, keyOf, RUNNING_ELF, summaryIn } from './support/summary-device.js';

const RISCV = stateOf(fixture('thermostat-1.0.0').dump('null-pointer'));
const XTENSA: HostProgram = {
  ...WITH_SUMMARIES,
  defines: [...(WITH_SUMMARIES.defines ?? []), 'CONFIG_IDF_TARGET_ARCH_XTENSA=1'],
};
const hex = (value = 0) => `0x${value.toString(16).padStart(8, '0')}`;

describe.skipIf(!hasGcc)('a crash without a dump (needs gcc)', () => {
  it('is sent at the next boot: registers, stack, log and the build that crashed', async () => {
    const { device, server } = await aSummaryDevice();
    await device.panic(panicFile(RISCV));

    const { code, log } = await device.boot({ DEVICE_VERSION: '1.3.0', DEVICE_ELF_SHA256: '0'.repeat(64) });

    expect({ code, crashes: server.crashes.length }).toEqual({ code: 0, crashes: 1 });
    const [request] = server.crashes as [RecordedRequest];
    expect(request).toMatchObject({ path: '/api/iot/crash', query: { device_key: 'dev1' } });
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(request.body.length),
      'idempotency-key': expect.stringMatching(/^summary-[0-9a-f]{16}-[0-9a-f]{8}$/),
    });
    const summary = summaryIn(request);
    const sp = RISCV.registers[2] ?? 0;
    const bytes = RISCV.stack?.bytes ?? Buffer.alloc(0);
    expect(summary).toEqual({
      reason: 'Load access fault',
      task: 'sensor',
      pc: hex(RISCV.registers[0]),
      registers: expect.objectContaining({
        mepc: hex(RISCV.registers[0]),
        sp: hex(sp),
        mcause: '0x00000005',
      }),
      stack: { address: hex(sp), data: Buffer.from(bytes.subarray(0, 1_024)).toString('base64') },
      elf_sha256: RUNNING_ELF,
      firmware_version: '1.2.3',
      chip: 'esp32c3',
      log: 'I (42) app: line 0 of 3\nI (42) app: line 1 of 3\nI (42) app: line 2 of 3\n',
    });
    expect(Object.keys(summary.registers)).toHaveLength(37);
    expect(log).toContain(`crash summary of ${request.body.length} bytes sent`);
    expect(server.boots[0]?.query).toMatchObject({ crash_pending: 'true', firmware_version: '1.3.0' });

    await device.boot();
    expect(server.crashes).toHaveLength(1);
    expect(server.boots[1]?.query).toMatchObject({ crash_pending: 'false' });
  });

  it('comes with the time that the run took, to the second', async () => {
    const { device, server } = await aSummaryDevice();
    await device.panic(panicFile(RISCV), { DEVICE_PANICS_AFTER_MS: '25000' });

    await device.boot({ DEVICE_RESET_REASON: '4' });

    const { uptime_s: uptime, reset_reason: reason } = server.boots[0]?.query ?? {};
    expect(Number(uptime)).toBeGreaterThanOrEqual(25);
    expect(reason).toBe('panic');
  });

  it('has the backtrace on Xtensa, with the addresses that ESP-IDF prints', async () => {
    const { device, server } = await aSummaryDevice({ program: XTENSA });
    const pcs = [0x42001000, 0x42002003, 0x42003006];

    await device.panic(panicFile(xtensaState(pcs)), { DEVICE_PANIC_REASON: 'LoadProhibited' });
    await device.panic(panicFile(xtensaState(pcs, 'damaged')), { DEVICE_PANIC_REASON: 'LoadProhibited' });
    await device.boot();
    await device.panic(panicFile(xtensaState(Array.from({ length: 50 }, (_, at) => 0x42001000 + at * 16))));
    await device.boot();

    const [damaged, deep] = server.crashes.map(summaryIn);
    expect(damaged).toMatchObject({
      ...{ reason: 'LoadProhibited', pc: '0x42001000', chip: 'esp32s3' },
      backtrace: ['0x42000ffd', '0x42002000', '0x42003003'],
      registers: { pc: '0x42001000', a1: expect.any(String), exccause: '0x0000001c', excvaddr: '0x00000010' },
    });
    expect(damaged).not.toHaveProperty('stack');
    expect(deep?.backtrace).toHaveLength(32);
    expect(deep?.backtrace?.[31]).toBe(hex(0x42001000 + 31 * 16 - 3));
  });

  it.each([
    {
      abort: 'abort() was called at PC 0x42009351 on core 0',
      reason: /^abort\(\) was called at PC 0x42009351 on core 0$/,
    },
    { abort: '', reason: /^abort\(\)$/ },
    {
      abort: `assert failed: f main.c:1 (${'x'.repeat(300)})`,
      reason: /^assert failed: f main\.c:1 \(x{150,}$/,
    },
  ])('says what abort() said, and no cause: $abort', async ({ abort, reason }) => {
    const { device, server } = await aSummaryDevice();
    await device.panic(panicFile(RISCV), { DEVICE_PANIC_ABORT: abort });

    await device.boot();

    const [summary] = server.crashes.map(summaryIn);
    expect(summary?.reason).toMatch(reason);
    expect(summary?.registers).not.toHaveProperty('mcause');
    expect(summary?.registers).toHaveProperty('s11');
  });

  it('names the tasks that the task watchdog waited for, and the task that ran instead', async () => {
    const { device, server } = await aSummaryDevice();
    await device.panic(panicFile(RISCV), { DEVICE_PANIC_TASK_WDT: '1', DEVICE_PANIC_ISR: '1' });

    await device.boot();

    expect(server.crashes.map(summaryIn)[0]).toMatchObject({
      reason:
        'Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:\n - IDLE0 (CPU 0)',
      task: 'sensor',
    });
  });

  it.each([
    { environment: { DEVICE_PANIC_ISR: '1' }, why: 'in an interrupt' },
    { environment: { DEVICE_PANIC_TASK: '' }, why: 'before the scheduler runs' },
  ])('names no task $why', async ({ environment }) => {
    const { device, server } = await aSummaryDevice();
    await device.panic(panicFile(RISCV), environment);

    await device.boot();

    expect(server.crashes.map(summaryIn)[0]).not.toHaveProperty('task');
  });

  it('keeps what was noted when the handler itself crashes', async () => {
    const { device, server } = await aSummaryDevice();
    await device.panic(panicFile(RISCV), {
      DEVICE_PANIC_TWICE: '1',
      DEVICE_PANIC_REASON: 'Illegal instruction',
    });

    await device.boot();

    const [summary] = server.crashes.map(summaryIn);
    expect(summary).toMatchObject({ reason: 'Illegal instruction', stack: { address: expect.any(String) } });
    expect(summary).not.toHaveProperty('task');
  });

  it('is known before coredock_start too, and two that are the same are two', async () => {
    const { device, server } = await aSummaryDevice();
    for (let crash = 0; crash < 2; crash += 1) {
      await device.panic(panicFile(RISCV), { DEVICE_PANICS_EARLY: '1' });
      await device.boot();
    }

    expect(server.crashes.map(summaryIn)).toMatchObject([
      { firmware_version: '1.2.3' },
      { elf_sha256: RUNNING_ELF },
    ]);
    expect(server.crashes.map(summaryIn)[0]).not.toHaveProperty('log');
    expect(new Set(server.crashes.map(keyOf)).size).toBe(2);
  });

  it('is forgotten with the power, and where another firmware has its memory elsewhere', async () => {
    const { device, server } = await aSummaryDevice();
    await device.panic(panicFile(RISCV));
    const memory = await readFile(device.noinit);

    await writeFile(device.noinit, Buffer.concat([Buffer.alloc(4), memory.subarray(0, -4)]));
    expect((await device.boot()).code).toBe(0);
    await writeFile(device.noinit, Buffer.alloc(memory.length, 0xa5));
    expect((await device.boot()).code).toBe(0);

    expect(server.crashes).toEqual([]);
  });

  it('is sent without the part that is damaged, or not at all', { timeout: 60_000 }, async () => {
    const { device, server } = await aSummaryDevice({
      environment: { DEVICE_SKIP_BOOT_REPORT: '1', ASAN_OPTIONS: 'detect_leaks=0' },
    });
    await device.panic(panicFile(RISCV));
    const memory = await readFile(device.noinit);
    const step = Math.ceil(memory.length / 60);
    let whole = 0;
    let sent = 0;

    for (let at = 0; at < memory.length; at += step) {
      const damaged = Buffer.from(memory);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      await writeFile(device.noinit, damaged);
      server.crashes.length = 0;
      expect((await device.boot()).code).toBe(0);
      for (const summary of server.crashes.map(summaryIn)) {
        sent += 1;
        if (summary.log !== undefined && summary.stack !== undefined && summary.task !== undefined)
          whole += 1;
        expect(summary).toMatchObject({ pc: hex(RISCV.registers[0]), elf_sha256: RUNNING_ELF });
        expect([undefined, 'sensor']).toContain(summary.task);
      }
    }

    expect(sent).toBeGreaterThan(40);
    expect(whole).toBeLessThan(sent / 2);
  });

  it.each([
    { name: 'quotes', task: 'a"b\\c', log: 'say "hi" \\ \u0001\t\u007f\n' },
    { name: 'UTF-8', task: 'Küche', log: '🌡 23 °C\n' },
    { name: 'a line that was cut', task: 'x', log: 'half a li' },
  ])('is JSON whatever is in a name or the log: $name', async ({ task, log }) => {
    const { device, server } = await aSummaryDevice({ environment: { DEVICE_LOG_LINES: '0' } });
    await device.panic(panicFile(RISCV), { DEVICE_PANIC_TASK: task, DEVICE_LAST_LOG: log });

    await device.boot();

    expect(server.crashes.map(summaryIn)).toMatchObject([{ task, log }]);
  });

  it('has a mark in the place of what is no UTF-8', async () => {
    const { device, server, folder } = await aSummaryDevice({ environment: { DEVICE_LOG_LINES: '0' } });
    const file = join(folder, 'state');
    await writeFile(file, panicFile(RISCV));
    // Node.js has only UTF-8 for an environment; a shell has bytes.
    const script =
      'export DEVICE_PANIC_TASK="$(printf "caf\\351\\377")" DEVICE_LAST_LOG="$(printf "\\342\\202 \\355\\240\\200 \\300\\200 \\365 \\364\\220")"; "$0" panic "$1"';
    await promisify(execFile)('sh', ['-c', script, await buildForHost(WITH_SUMMARIES), file], {
      env: { ...device.environment, DEVICE_NETWORK: 'none' },
    });

    await device.boot();

    const [summary] = server.crashes.map(summaryIn);
    expect(summary?.task).toBe('caf\ufffd\ufffd');
    expect(summary?.log).toMatch(/^\ufffd{2} \ufffd{3} \ufffd{2} \ufffd \ufffd{2}$/);
  });

  it('is at most what the server takes, with ESP-IDF 5.0 too: a log that grows by escaping loses its oldest lines', async () => {
    const { device, server } = await aSummaryDevice({
      program: {
        ...WITH_SUMMARIES,
        defines: [
          ...(WITH_SUMMARIES.defines ?? []),
          'CONFIG_COREDOCK_CRASH_STACK_SIZE=4096',
          'CONFIG_COREDOCK_CRASH_LOG_SIZE=2048',
          'ESP_IDF_VERSION=0x050000',
        ],
        links: [...(WITH_SUMMARIES.links ?? []), '-Wl,--wrap=panic_abort'],
      },
      environment: { DEVICE_LOG_LINES: '0' },
    });
    const address = 0x3fc90000;
    const state = { registers: [...RISCV.registers], stack: { address, bytes: Buffer.alloc(8_192, 0xa5) } };
    state.registers[2] = address;
    const lines = Array.from({ length: 60 }, (_, at) => `${String(at).padStart(2)}${'\u0001'.repeat(40)}\n`);
    await device.panic(panicFile(state), { DEVICE_LAST_LOGS: lines.join(''), DEVICE_PANIC_ABORT: 'stop' });

    expect((await device.boot()).code).toBe(0);

    const [request] = server.crashes as [RecordedRequest];
    expect(request.body.length).toBeLessThanOrEqual(16_384);
    expect(request.body.length).toBeGreaterThan(15_000);
    const { log = '', stack, reason } = summaryIn(request);
    expect(reason).toBe('stop');
    expect(Buffer.from(stack?.data ?? '', 'base64')).toHaveLength(4_096);
    expect(lines.join('').endsWith(log)).toBe(true);
    expect(lines).toContain(log.slice(0, log.indexOf('\n') + 1));
  });
});
