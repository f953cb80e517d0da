import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCrashDump } from '../../src/crashdump/index.js';
import { frameLine } from '../../src/crashdump/text/frame-lines.js';
import { everyCrash } from '../support/fixtures.js';

/** Function names that GDB's parser of C++ does not understand keep their parameters there. */
const KEPT_PARAMETERS = /(<lambda\(.*\)> >)\(struct \{\.\.\.\}\) const(?= \(|$)/;

describe.each(everyCrash())('the backtraces of $title', ({ build, crash }) => {
  const { report } = readCrashDump({
    core: readFileSync(build.dump(crash)),
    elf: readFileSync(build.elfPath),
  });

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

      expect(ours).toEqual(frames.map(({ text }) => text.replace(KEPT_PARAMETERS, '$1')));
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

  function taskOf(tcb: string) {
    const task = report.tasks.find((candidate) => candidate.tcb === tcb);
    if (task === undefined) throw new Error(`no task ${tcb}`);
    return task;
  }
});
