import { readCrashDump, UnreadableDump } from '../crashdump/index.js';
import { openImage, readInput, readStdin, UnreadableInput } from './input-files.js';
import { openRomLibrary, UnreadableRomFolder } from './rom-library.js';

export interface ParseOptions {
  /** Path of a dump, panic text, log or summary; `-`: standard input. */
  core: string;
  /** Path of the firmware's ELF; without it the report has addresses only. */
  elf?: string;
  /** "auto", or the chip for a dump that does not name it. */
  chip?: string;
  format?: string;
  /** Adds memory contents to the text. */
  printMem?: boolean;
}

const STDIN = '-';

interface Terminal {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/**
 * `coredock parse`: reads one crash in this process, without pool and server, so that it starts fast.
 * @param romElfDir `ESP_ROM_ELF_DIR`, when it is set
 * @returns the exit code: 0 parsed, 1 an input that cannot be read (one line on stderr), 2 bad usage
 */
export async function parseCommand(
  { core, elf, chip = 'auto', format = 'text', printMem = false }: ParseOptions,
  { stdout, stderr }: Terminal,
  romElfDir: string | null = null,
): Promise<0 | 1 | 2> {
  if (format !== 'text' && format !== 'json') {
    return complain(2, `--format is text or json, not "${format}"`);
  }
  try {
    const image = elf === undefined ? null : openImage(elf);
    const { report, output } = readCrashDump({
      core: core === STDIN ? readStdin() : readInput(core),
      elf: image,
      chip,
      findRom: openRomLibrary(romElfDir),
      printMemory: printMem,
    });
    await print(stdout, format === 'text' ? output : `${JSON.stringify(report, null, 2)}\n`);
    return 0;
  } catch (error) {
    if (error instanceof UnreadableInput || error instanceof UnreadableRomFolder)
      return complain(1, error.message);
    if (error instanceof UnreadableDump)
      return complain(1, `${core === STDIN ? 'standard input' : core}: ${error.message}`);
    throw error;
  }

  function complain<Code extends 1 | 2>(code: Code, message: string): Code {
    stderr.write(`coredock parse: ${message}\n`);
    return code;
  }
}

/** Resolves when the text is written, or when the reader has closed the pipe (`coredock parse … | head`). */
async function print(stream: NodeJS.WritableStream, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? resolve() : reject(error));
    stream.once('error', onError);
    stream.write(text, () => resolve());
  });
}
