import { readFileSync } from 'node:fs';
import { describeCrash } from '../../src/crash-groups/describe-crash.js';
import { type CrashKind, type CrashReport, readCrashDump } from '../../src/crashdump/index.js';
import { aTask, bytes, CHIP, type CoreSpec, elfDump, padded } from '../crashdump/builders.js';
import { aCallChain } from '../crashdump/call-chain.js';
import { findCaseFile } from '../support/real-cases.js';
import type { AccuracyRow } from './row.js';

/** Texts that ESP-IDF 3.3 to 6.1 gives to `panic_abort` or writes to the dump's note, with the kind that each tells. */
const TEXTS: readonly (readonly [string, CrashKind])[] = [
  ['abort() was called at PC 0x42009351 on core 0', 'ABORT'],
  ['assert failed: foo foo.c:12 (x)', 'ASSERT'],
  ['assert failed: xQueueGenericSend queue.c:832 (pxQueue)', 'ASSERT'],
  ['assert failed: 0x42001234 0x3c020304:12 (<cached disabled>)', 'ASSERT'],
  ['***ERROR*** A stack overflow in task sensor has been detected.', 'STACK_OVERFLOW'],
  ['ERROR: Stack overflow while saving coprocessor context!\n', 'STACK_OVERFLOW'],
  ['Stack smashing protect failure!', 'STACK_SMASHED'],
  ['assert failed: multi_heap_free multi_heap_poisoning.c:259 (head != NULL)', 'HEAP_CORRUPTION'],
  ['assert failed: block_next tlsf.c:303 (!block_is_last(block))', 'HEAP_CORRUPTION'],
  [
    'assert failed: remove_free_block heap_tlsf.c:211 (prev && "prev_free field can not be null")',
    'HEAP_CORRUPTION',
  ],
  [
    'assert failed: tlsf_free tlsf.c:1120 (!block_is_free(block) && "block already marked as free")',
    'HEAP_CORRUPTION',
  ],
  [
    'assert failed: heap_caps_free heap_caps_base.c:69 (heap != NULL && "free() target pointer is outside heap areas")',
    'HEAP_CORRUPTION',
  ],
  ['Mem alloc fail. size 0x00010000 caps 0x00001800', 'OUT_OF_MEMORY'],
  ['Memory allocation failed', 'OUT_OF_MEMORY'],
  ['FreeRTOS: FreeRTOS Task "sensor" should not return, Aborting now!', 'TASK_RETURNED'],
  ['assert failed: prvTaskExitError port.c:164 (uxCriticalNesting == ~0UL)', 'TASK_RETURNED'],
  ['Undefined behavior of type out_of_bounds', 'UNDEFINED_BEHAVIOR'],
  ['Undefined behavior of type shift_out_of_bounds', 'UNDEFINED_BEHAVIOR'],
  ['KASAN: invalid memory access', 'INVALID_ACCESS'],
  ['ERROR: Coprocessors must not be used in ISRs!\n', 'COPROCESSOR'],
  ['ERROR: PIE coprocessor is not supported in unicore configuration!\n', 'COPROCESSOR'],
  ['ERROR: PIE coprocessor must not be used in critical sections!\n', 'COPROCESSOR'],
  ['ERROR: Scheduler is not running on core 0, task must migrate to core 1!\n', 'COPROCESSOR'],
  [
    'Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:\n - IDLE0 (CPU 0)\n - net (CPU 1)',
    'TASK_WATCHDOG',
  ],
];

/** Those that dumps of before ESP-IDF 5.1 only have on the stack. */
const ON_STACK = TEXTS.filter(([text]) => !/^(?:ERROR|Task watchdog)/.test(text));

/** Functions that called each other, innermost first, with the kind and the function to blame. */
const CHAINS: readonly { chain: string; kind: CrashKind; culprit: string | null }[] = [
  {
    chain: 'panic_abort < esp_system_abort < abort < read_sensor < app_main',
    kind: 'ABORT',
    culprit: 'read_sensor',
  },
  {
    chain: 'panic_abort < esp_system_abort < __assert_func < read_sensor < app_main',
    kind: 'ASSERT',
    culprit: 'read_sensor',
  },
  {
    chain: 'panic_abort < abort < multi_heap_assert < multi_heap_free_impl < heap_caps_free < free < publish',
    kind: 'HEAP_CORRUPTION',
    culprit: 'publish',
  },
  {
    chain:
      'panic_abort < abort < assert_valid_block.isra.0 < multi_heap_malloc < heap_caps_malloc < malloc < publish',
    kind: 'HEAP_CORRUPTION',
    culprit: 'publish',
  },
  {
    chain: 'panic_abort < abort < heap_caps_alloc_failed < heap_caps_malloc < publish',
    kind: 'OUT_OF_MEMORY',
    culprit: 'publish',
  },
  {
    chain:
      'panic_abort < abort < std::terminate() < __cxa_throw < std::__throw_bad_alloc() < operator new(unsigned int) < publish',
    kind: 'OUT_OF_MEMORY',
    culprit: 'publish',
  },
  {
    chain:
      'panic_abort < abort < std::__throw_out_of_range_fmt(char const*, ...) < std::vector::at(unsigned int) < publish',
    kind: 'ABORT',
    culprit: 'publish',
  },
  {
    chain: 'panic_abort < esp_system_abort < __stack_chk_fail < parse',
    kind: 'STACK_SMASHED',
    culprit: 'parse',
  },
  {
    chain: 'panic_abort < esp_system_abort < __ubsan_default_handler < __ubsan_handle_add_overflow < add',
    kind: 'UNDEFINED_BEHAVIOR',
    culprit: 'add',
  },
  {
    chain: 'panic_abort < abort < task_wdt_timeout_handling < task_wdt_isr < _interrupt_handler',
    kind: 'TASK_WATCHDOG',
    culprit: null,
  },
  {
    chain: 'panic_abort < esp_system_abort < vApplicationStackOverflowHook < vTaskSwitchContext',
    kind: 'STACK_OVERFLOW',
    culprit: null,
  },
  {
    chain: 'panic_abort < esp_system_abort < abort < vPortTaskWrapper',
    kind: 'TASK_RETURNED',
    culprit: null,
  },
  { chain: 'panic_abort < abort < prvTaskExitError', kind: 'TASK_RETURNED', culprit: null },
  { chain: 'memcpy < handle_message < app_main', kind: 'INVALID_WRITE', culprit: 'handle_message' },
  { chain: 'strlen < strdup < handle_message < app_main', kind: 'INVALID_WRITE', culprit: 'handle_message' },
  {
    chain:
      'remove_free_block < tlsf_malloc < multi_heap_malloc < heap_caps_malloc_base < heap_caps_malloc < malloc < publish',
    kind: 'HEAP_CORRUPTION',
    culprit: 'publish',
  },
  {
    chain:
      'spinlock_acquire < xPortEnterCriticalTimeout < vPortEnterCritical < xQueueSemaphoreTake < _lock_acquire_recursive < publish',
    kind: 'INVALID_WRITE',
    culprit: 'publish',
  },
  {
    chain:
      'panic_abort < esp_system_abort < abort < __rust_start_panic < rust_panic < core::panicking::panic_fmt < fw::read_sensor',
    kind: 'ABORT',
    culprit: 'fw::read_sensor',
  },
  { chain: '_svfprintf_r < snprintf < show', kind: 'INVALID_WRITE', culprit: 'show' },
];

/** The given inputs, with what their README says. */
const INPUTS: readonly {
  folder: string;
  dump: string;
  elf: readonly [string, string];
  kind: CrashKind;
  sameGroupAs?: string;
  says: RegExp;
}[] = [
  ...(
    [
      ['memprot', 'MEMORY_PROTECTION', /^Memory protection/],
      ['twonotes', 'TASK_WATCHDOG', /IDLE0 \(CPU 0\)/],
      ['s_5_deadc0de', 'OTHER', /^null$/],
      ['ubsan', 'UNDEFINED_BEHAVIOR', /UBSan found/],
      ['cocpu', 'COPROCESSOR', /interrupt handler/],
      ['wp', 'STACK_OVERFLOW', /stack of task 'main' was too small/],
    ] as const
  ).map(([name, kind, says]) => ({
    folder: 'reader/8-reasons',
    dump: `${name}.bin`,
    elf: ['reader/8-reasons', 'a_noexc.elf'] as const,
    kind,
    says,
  })),
  ...(
    [
      ['t-task-returned', 'TASK_RETURNED', /task function main_task returned/],
      ['t-corrupt', 'ABORT', /found the stack of task 'main' broken/],
      ['w-canary', 'STACK_OVERFLOW', /stack of task 'main' was too small/],
      ['z-esp32-sha-zeros', 'ABORT', /abort\(\) in `fail_once`/],
    ] as const
  ).map(([name, kind, says]) => ({
    folder: 'field',
    dump: `${name}.bin`,
    elf: ['esp32-elf-head', 'firmware.elf'] as const,
    kind,
    says,
  })),
];

/** Kind, words and culprit of what is known to be right: texts by their source, call chains, the given inputs. */
export async function measureReasons(): Promise<AccuracyRow[]> {
  return [
    row(
      'reasons: texts in the dump',
      TEXTS.map(([text, kind]) => ofText(text, kind)),
      'ESP-IDF sources',
    ),
    row(
      'reasons: texts on the stack, no ELF',
      ON_STACK.map(([text, kind]) => onStack(text, kind)),
      'ESP-IDF sources',
    ),
    row('reasons: who stopped the program', CHAINS.map(ofChain), 'the chain that was built'),
    row('reasons: given inputs', INPUTS.flatMap(ofInput), 'their README'),
  ];
}

interface Judged {
  right: boolean;
  what: string;
}

/** The inputs that were judged wrong, for the message of a test. */
export const wrongOnes: string[] = [];

function row(kind: string, judged: readonly Judged[], remark: string): AccuracyRow {
  const wrong = judged.filter(({ right }) => !right);
  wrongOnes.push(...wrong.map(({ what }) => what));
  return {
    kind,
    tried: judged.length,
    right: judged.length - wrong.length,
    namedMissing: 0,
    wrong: wrong.length,
    remark,
  };
}

function ofText(text: string, kind: CrashKind): Judged {
  const found = read({ machine: 'riscv', tasks: [aTask()], panicDetails: text, exception: { mcause: 2 } });
  return judge(found, kind, text);
}

/** As ESP-IDF 4 leaves it: the chip stopped by a write to NULL, and a word on the stack points to the text. */
function onStack(text: string, kind: CrashKind): Judged {
  const sp = 0x3fc91fa0;
  const task = aTask({ registers: { 2: sp }, stack: { [sp + 12]: 0x3fc70000 } });
  const segments = [{ address: 0x3fc70000, bytes: padded(bytes(text), text.length + 4) }];
  const found = read({ machine: 'riscv', tasks: [task], segments, exception: { mcause: 7 } });
  const judged = judge(found, kind, text);
  return { ...judged, right: judged.right && found.reason === text };
}

function ofChain({ chain, kind, culprit }: (typeof CHAINS)[number]): Judged {
  const { task, firmware } = aCallChain(chain.split(' < '));
  const core: CoreSpec = { machine: 'riscv', tasks: [task], exception: { mcause: 7 } };
  const report = readCrashDump({ core: dumpOf(core), elf: firmware }).report;
  const judged = judge(report, kind, chain);
  return { ...judged, right: judged.right && (report.culprit?.function ?? null) === culprit };
}

function ofInput({ folder, dump, elf, kind, says }: (typeof INPUTS)[number]): Judged[] {
  const core = findCaseFile(folder, dump);
  const elfPath = findCaseFile(...elf);
  if (core === null || elfPath === null) return [];
  const { report } = readCrashDump({ core: readFileSync(core), elf: readFileSync(elfPath) });
  const judged = judge(report, kind, dump);
  return [{ ...judged, right: judged.right && says.test(`${report.explanation}`) }];
}

function judge(report: CrashReport, kind: CrashKind, what: string): Judged {
  const { title } = describeCrash(report);
  const isWhole =
    /^v2:[0-9a-f]{16}$/.test(report.fingerprint) && title !== '' && !report.reason.includes('\n');
  return {
    right: report.kind === kind && isWhole,
    what: `${what}: ${report.kind}, ${report.culprit?.function}, ${report.explanation}`,
  };
}

function read(core: CoreSpec): CrashReport {
  return readCrashDump({ core: dumpOf(core), elf: null }).report;
}

function dumpOf(core: CoreSpec): Uint8Array {
  return elfDump(core, 'ELF SHA256 v2.1', CHIP.esp32c3);
}
