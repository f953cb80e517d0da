/** The programs that read core dumps with GDB: what `coredock parse` is measured against. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Specimen } from '../fuzz/corpus.js';

export interface Debugger {
  readonly name: string;
  readonly isEspCoredump: boolean;
  readonly command: readonly string[];
}

const GDB = '/usr/bin/gdb-multiarch';
/** GDB takes the dumps' notes for those of an operating system that it does not know, unless it is told that there is none. */
const NO_OPERATING_SYSTEM = 'set osabi none';

/**
 * esp-coredump where `ESP_COREDUMP` names its program, else Debian's GDB alone with the commands that esp-coredump
 * gives it; null without GDB.
 * @param dir for what they need beside dump and ELF
 */
export async function findDebugger(
  dir: string,
  files: { core: string; elf: string },
  specimen: Specimen,
): Promise<Debugger | null> {
  if (!existsSync(GDB)) return null;
  const program = process.env.ESP_COREDUMP;
  return program === undefined || program === ''
    ? gdbAlone(dir, files.elf, specimen)
    : espCoredump(program, dir, files);
}

async function espCoredump(
  program: string,
  dir: string,
  { core, elf }: { core: string; elf: string },
): Promise<Debugger> {
  const gdb = join(dir, 'gdb');
  await writeFile(gdb, `#!/bin/sh\nexec ${GDB} -iex '${NO_OPERATING_SYSTEM}' "$@"\n`, { mode: 0o755 });
  const command = [...program.split(' '), 'info_corefile', '--gdb', gdb, '--core', core, elf];
  return { name: 'esp-coredump with GDB', isEspCoredump: true, command };
}

/** GDB wants the bare ELF that the container holds. */
async function gdbAlone(dir: string, elf: string, { core }: Specimen): Promise<Debugger> {
  const bare = join(dir, 'core.elf');
  await writeFile(bare, core.subarray(core.indexOf('\x7fELF', 0, 'latin1')));
  const commands = ['info threads', 'bt', 'info registers', 'thread apply all bt'];
  const steps = [NO_OPERATING_SYSTEM, `core-file ${bare}`, ...commands].flatMap((step) => ['-ex', step]);
  return { name: 'GDB alone', isEspCoredump: false, command: [GDB, '-nx', '-batch', ...steps, elf] };
}
