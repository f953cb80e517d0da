import { statSync, writeFileSync } from 'node:fs';
import { readCrashDump, toCoreElf, UnreadableDump } from '../crashdump/index.js';
import { openImage, readInput, systemMessage, UnreadableInput } from './input-files.js';

export interface CoreOptions {
  /** Path of the dump. */
  core: string;
  /** Path of the firmware's ELF: whether it is the crashed build is said. */
  elf?: string;
  /** Path of the ELF core to write. */
  out: string;
}

interface Terminal {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/**
 * `coredock core`: writes the ELF core that GDB opens.
 * @returns the exit code: 0 written, 1 an input that cannot be read or an output that cannot be written; it never replaces
 * an input, which may be the only copy of a crash
 */
export async function coreCommand(
  { core, elf, out }: CoreOptions,
  { stdout, stderr }: Terminal,
): Promise<0 | 1> {
  try {
    for (const input of [core, elf])
      if (input !== undefined && isSameFile(input, out))
        return complain(`--out ${out} is an input; name another file`);
    const upload = readInput(core);
    const image = elf === undefined ? null : openImage(elf);
    const bytes = toCoreElf(upload);
    const { warnings } = readCrashDump({ core: upload, elf: image }).report;
    for (const { code, message } of warnings)
      if (code !== 'NO_FIRMWARE') stderr.write(`coredock core: ${message}\n`);
    write(out, bytes);
    stdout.write(`gdb ${elf ?? 'firmware.elf'} ${out}\n`);
    return 0;
  } catch (error) {
    if (error instanceof UnreadableInput) return complain(error.message);
    if (error instanceof UnreadableDump) return complain(`${core}: ${error.message}`);
    throw error;
  }

  function complain(message: string): 1 {
    stderr.write(`coredock core: ${message}\n`);
    return 1;
  }
}

function isSameFile(path: string, other: string): boolean {
  const [one, two] = [path, other].map((name) => statSync(name, { throwIfNoEntry: false, bigint: true }));
  return one !== undefined && two !== undefined && one.dev === two.dev && one.ino === two.ino;
}

function write(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new UnreadableInput(`${path}: ${systemMessage(error)}`);
  }
}
