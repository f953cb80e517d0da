import { parseArgs } from 'node:util';
import { type ParseOptions, parseCommand } from './parse-command.js';

export { parseCommand };

/**
 * Starts `coredock parse` without commander, because loading commander takes longer than parsing the options.
 * @returns false for help and for options that it does not accept: commander handles those
 */
export function startParse(args: readonly string[]): boolean {
  const options = readOptions(args);
  if (options === null) return false;
  void parseCommand(options, process, process.env.ESP_ROM_ELF_DIR || null).then((exitCode) => {
    process.exitCode = exitCode;
  });
  return true;
}

function readOptions(args: readonly string[]): ParseOptions | null {
  try {
    const { values, positionals } = parse(args);
    const { core, 'print-mem': printMem, ...others } = values;
    const [file, ...more] = core === undefined ? positionals : [core, ...positionals];
    // None, or two: an error that commander words.
    if (file === undefined || more.length > 0) return null;
    return { ...others, core: file, ...(printMem === undefined ? {} : { printMem }) };
  } catch {
    return null;
  }
}

/** @throws for unknown options */
function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      core: { type: 'string' },
      elf: { type: 'string' },
      chip: { type: 'string' },
      format: { type: 'string' },
      'print-mem': { type: 'boolean' },
    },
  });
}
