import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  COMPONENT,
  hasGcc,
  hasRiscvGcc,
  INCLUDES,
  SHIMS,
  sourcesIn,
  WARNINGS,
} from './support/build-device.js';
import { ESP_IDF, hasRevision, headersOf, RISCV_TARGET, XTENSA_TARGET } from './support/esp-idf-headers.js';

const SOURCES = sourcesIn(join(COMPONENT, 'src'));
const RISCV = [
  ...['-std=gnu17', '-ffreestanding', '-fbuiltin', '-Os', '-march=rv32imc_zicsr', '-mabi=ilp32', ...WARNINGS],
  ...['-fstack-usage', '-I', join(SHIMS, 'libc'), ...INCLUDES],
];

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coredock-compile-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function complaintsOf(command: string, args: string[]): string {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? '' : stderr || `${command} ended with ${status}`;
}

describe.skipIf(!hasRiscvGcc)('the component for RISC-V (needs riscv64-unknown-elf-gcc)', () => {
  it.each([
    {
      name: 'as Kconfig has it',
      defines: ['CONFIG_COREDOCK_HAS_KCONFIG=1', 'CONFIG_COREDOCK_BOOT_REPORT=1'],
    },
    { name: 'as Arduino has it', defines: [] },
    {
      name: 'with crash summaries from RAM, without core dumps, for 5.1',
      defines: [
        ...['CONFIG_COREDOCK_CRASH_SUMMARY=1', 'COREDOCK_WRAPS_PANIC=1', 'CONFIG_ESP_PANIC_HANDLER_IRAM=1'],
        ...['CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH=0', 'ESP_IDF_VERSION=0x050100'],
      ],
    },
    {
      name: 'with crash summaries of Xtensa',
      defines: ['CONFIG_COREDOCK_CRASH_SUMMARY=1', 'CONFIG_IDF_TARGET_ARCH_XTENSA=1'],
    },
    {
      name: 'with everything off, for 5.0',
      defines: [
        ...['CONFIG_COREDOCK_HAS_KCONFIG=1', 'CONFIG_COREDOCK_VALUES=0', 'CONFIG_COREDOCK_LOG_RING_SIZE=0'],
        ...[
          'CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH=0',
          'ESP_IDF_VERSION=0x050000',
          'CONFIG_COREDOCK_AUTO_START=1',
        ],
      ],
    },
  ])('compiles without a warning, $name, and uses little stack', async ({ defines }) => {
    const folder = await aFolder();

    for (const source of SOURCES) {
      const object = join(folder, `${basename(source)}.o`);
      const args = [...RISCV, ...defines.map((define) => `-D${define}`), '-c', source, '-o', object];
      expect(complaintsOf('riscv64-unknown-elf-gcc', args)).toBe('');
    }

    const frames = readdirSync(folder)
      .filter((name) => name.endsWith('.su'))
      // A file without functions has an empty one.
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean))
      .map((line) => line.split('\t'));
    expect(frames.length).toBeGreaterThan(20);
    // README.md: "no function of its own needs more than 256 bytes".
    expect(frames.filter(([, bytes, kind]) => Number(bytes) > 256 || kind !== 'static')).toEqual([]);
    // Without this name in the program, ESP-IDF's panic handler would not note why the device restarts.
    const { stdout } = spawnSync('riscv64-unknown-elf-nm', ['-u', join(folder, 'start.c.o')], {
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/U esp_reset_reason$/m);
  });
});

it.skipIf(!hasGcc)('compiles in a C++ program (needs g++)', async () => {
  const source = join(await aFolder(), 'main.cpp');
  await writeFile(
    source,
    '#include "coredock.h"\nenum Mode { OFF, ON };\nvoid set(const char *text) {\n  coredock_set("a", 1);\n' +
      '  coredock_set("b", 1.5f);\n  coredock_set("c", text);\n  coredock_set("d", ON);\n  coredock_set("e", true);\n}\n',
  );

  expect(complaintsOf('g++', ['-std=gnu++17', ...WARNINGS, ...INCLUDES, '-fsyntax-only', source])).toBe('');
});

it('has no header that hides one of Arduino where file names have no case', () => {
  // The libraries of the core include each other by these names, and a library's `src` is searched for every include.
  const ofArduino = [
    'Network.h',
    'WiFi.h',
    'ETH.h',
    'PPP.h',
    'Client.h',
    'Server.h',
    'Update.h',
    'FS.h',
    'Hash.h',
  ];
  const own = readdirSync(join(COMPONENT, 'src')).map((name) => name.toLowerCase());

  expect(ofArduino.filter((name) => own.includes(name.toLowerCase()))).toEqual([]);
});

it.skipIf(!hasGcc)('says which release it needs (needs gcc)', async () => {
  const args = ['-std=gnu17', '-DESP_IDF_VERSION=0x040407', ...INCLUDES, '-fsyntax-only'];
  const [first = ''] = SOURCES.filter((source) => source.endsWith('block.c'));

  expect(complaintsOf('gcc', [...args, first])).toContain('Coredock needs ESP-IDF 5.0 or later');
});

const REVISIONS = ['v5.0', 'v5.1.6', 'v5.2.6', 'v5.3.4', 'v5.4.4', 'v5.5.5', 'v6.0.2', 'master'];

describe.skipIf(ESP_IDF === undefined || !hasGcc)(
  'against the headers of ESP-IDF (needs COREDOCK_ESP_IDF, a git directory)',
  () => {
    it.each(
      REVISIONS.flatMap((revision) => [RISCV_TARGET, XTENSA_TARGET].map((target) => ({ revision, target }))),
    )('compiles with $revision for $target.chip', { timeout: 300_000 }, async ({ revision, target }) => {
      expect(hasRevision(revision)).toBe(true);
      const headers = await headersOf(revision, join(await aFolder(), revision), target);
      // Formats are checked for RISC-V above: here `uint32_t` is that of the host.
      const flags = ['-std=gnu17', '-fsyntax-only', ...WARNINGS, '-Wno-format', ...headers];
      const includes = ['-I', join(COMPONENT, 'include'), '-I', join(COMPONENT, 'src')];

      expect(complaintsOf('gcc', [...flags, ...includes, ...SOURCES])).toBe('');
    });

    it.each(REVISIONS)('the shims declare what %s declares', { timeout: 300_000 }, async (revision) => {
      const folder = await aFolder();
      const headers = await headersOf(revision, join(folder, revision));
      const source = join(folder, 'prototypes.c');
      await writeFile(source, prototypes(revision));

      expect(complaintsOf('gcc', ['-std=gnu17', '-fsyntax-only', ...headers, source])).toBe('');
    });
  },
);

/** The real headers, then our prototypes again: the compiler compares them. */
function prototypes(revision: string): string {
  // Those that a release lacks are not used with it; esp_cpu_utils.h is of Xtensa.
  const later = [
    ...(revision === 'v5.0' ? ['esp_netif_get_default_netif'] : []),
    ...(/^v5\.[01]/.test(revision) ? ['esp_task_wdt_print_triggered_tasks'] : []),
  ];
  const files = readdirSync(SHIMS).filter(
    (name) => /^esp_.*\.h$/.test(name) && !['esp_idf_version.h', 'esp_cpu_utils.h'].includes(name),
  );
  const declarations = files
    .flatMap((name) => readFileSync(join(SHIMS, name), 'utf8').split('\n'))
    .filter((line) => /^[a-z][\w *]*\besp_\w+\(.*\);$/.test(line))
    .filter((line) => !later.some((name) => line.includes(name)));
  expect(declarations.length).toBeGreaterThan(25);
  const includes = files.map((name) => `#include "${name}"`);
  return `${['#include <string.h>', ...includes, ...declarations].join('\n')}\n`;
}
