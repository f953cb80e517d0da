import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openContainer } from '../../src/crashdump/core/container.js';
import { readDump } from '../../src/crashdump/core/read-dump.js';
import { openFirmware, readCrashDump } from '../../src/crashdump/index.js';
import { frameLine } from '../../src/crashdump/text/frame-lines.js';
import { everyCrash } from '../support/fixtures.js';

/** Function names that GDB's parser of C++ does not understand keep their parameters there. */
const KEPT_PARAMETERS = /(<lambda\(.*\)> >)\(struct \{\.\.\.\}\) const(?= \(|$)/;

/** An address, perhaps its symbol, and the text there. */
const TEXT = /0x([0-9a-f]+)( <[^>]*>)? "(?:[^"\\]|\\.)*"/g;

describe.each(everyCrash())('the backtraces of $title', ({ build, crash }) => {
  const [core, elf] = [readFileSync(build.dump(crash)), readFileSync(build.elfPath)];
  const { report } = readCrashDump({ core, elf });
  const dump = readDump(openContainer(core), null);
  const { sections } = openFirmware(elf);

  it('have the addresses, functions, files and lines that GDB has', async () => {
    for (const { tcb, frames } of await readableTasks()) {
      const ours = taskOf(tcb).frames.map(({ pc, function: name, file, line }) => ({ pc, name, file, line }));

      expect(ours).toEqual(
        frames.map(({ pc, function: name, file, line }) => ({
          pc,
          name: name?.replace(KEPT_PARAMETERS, '$1') ?? null,
          file,
          line,
        })),
      );
    }
  });

  it('are spelled as GDB spells them, values of arguments included', async () => {
    for (const { tcb, frames } of await readableTasks()) {
      const ours = taskOf(tcb).frames.map(frameLine);

      expect(ours).toEqual(
        frames.map(({ text }) => withoutInitialValues(text.replace(KEPT_PARAMETERS, '$1'))),
      );
    }
  });

  /** GDB also shows as frames: the placeholder of a stack that the device found broken, an empty return address. */
  async function readableTasks() {
    const { tasks } = await build.oracle(crash);
    return tasks
      .filter(({ tcb }) => !taskOf(tcb).stackCorrupted)
      .map(({ tcb, frames }) => ({
        tcb,
        frames: frames.filter(({ pc }, level) => level === 0 || Number(pc) !== 0),
      }));
  }

  /** For variables that are not in the dump GDB shows what the ELF begins with, as if the device still had it. */
  function withoutInitialValues(text: string): string {
    return text.replace(TEXT, (whole, digits: string, symbol: string | undefined) => {
      const address = Number.parseInt(digits, 16);
      const isVariable = sections.some(
        (section) =>
          section.name.startsWith('.dram0') &&
          address >= section.address &&
          address < section.address + section.size,
      );
      if (!isVariable || dump.memory.read(address, 1) !== null) return whole;
      return `0x${digits}${symbol ?? ''} <error: Cannot access memory at address 0x${digits}>`;
    });
  }

  function taskOf(tcb: string) {
    const task = report.tasks.find((candidate) => candidate.tcb === tcb);
    if (task === undefined) throw new Error(`no task ${tcb}`);
    return task;
  }
});
