/**
 * What a firmware ELF does not contain although the reader would use it: told at the upload of the ELF, and in every
 * report that was made with it. Needs section headers and unit headers only, so it is cheap for a file of any size.
 */
import type { Architecture } from '../arch/architecture.js';
import type { ReportWarning } from '../warning.js';
import { COMPRESSION_HEADER_SIZE, unknownCompression } from './decompress.js';
import {
  type ElfFile,
  type ElfSection,
  SHF_COMPRESSED,
  SHF_EXECINSTR,
  SHT_NOBITS,
  SHT_SYMTAB,
} from './elf-file.js';
import { partOf, type SectionSearch } from './section-search.js';
import { countSplitUnits } from './split-units.js';

/** An ELF without call-frame information may still have the empty section that the linker script makes. */
const EMPTY_CALL_FRAMES = 4;
/** Descriptions take far more than this part of the code. A stripped ELF keeps those of libgcc, in .eh_frame. */
const LEAST_CALL_FRAMES = 20;

/** What the opened file lacks. */
export function lacksOf(elf: ElfFile): readonly ReportWarning[] {
  const search = searchLacks(elf.architecture, elf.sections);
  let step = search.next();
  while (step.done !== true) {
    const { section, isRaw } = step.value;
    const whole = isRaw ? elf.rawContentsOf(section) : elf.contentsOf(section);
    step = search.next(partOf(whole, step.value));
  }
  const damaged = elf.sections.filter((section) => isDebug(section) && isUnreadable(elf, section));
  return damaged.length === 0 || step.value.some(({ code }) => code === 'FIRMWARE_COMPRESSED')
    ? step.value
    : [...step.value, damagedSections(damaged)];
}

/** The search itself; the caller answers its requests. */
export function* searchLacks(
  architecture: Architecture,
  sections: readonly ElfSection[],
): SectionSearch<ReportWarning[]> {
  const filled = sections.filter(({ type, size }) => type !== SHT_NOBITS && size > 0);
  const has = (name: string) => filled.some((section) => section.name === name);
  const hasInformation = has('.debug_info') || has('.zdebug_info');
  const lacks: ReportWarning[] = [];

  const stripped = strippedParts(
    filled.some(({ type }) => type === SHT_SYMTAB),
    hasInformation,
  );
  if (stripped !== null) lacks.push({ code: 'FIRMWARE_STRIPPED', message: stripped });

  const code = sections.filter(({ flags, size }) => (flags & SHF_EXECINSTR) !== 0 && size > 0);
  if (code.length > 0 && code.every(({ type }) => type === SHT_NOBITS)) {
    lacks.push({ code: 'FIRMWARE_STRIPPED', message: withoutCode });
  }

  const compression = yield* compressionThatIsUnknown(filled);
  if (compression !== null) lacks.push({ code: 'FIRMWARE_COMPRESSED', message: compressed(compression) });

  const frames = architecture.unwindsByCallFrames ? missingCallFrames(filled) : null;
  if (frames !== null) lacks.push({ code: 'FIRMWARE_NO_CALL_FRAMES', message: frames });

  const split = yield* countSplitUnits(filled);
  if (split > 0 || has('.gnu_debugaltlink')) {
    lacks.push({ code: 'FIRMWARE_SPLIT_DEBUG', message: split > 0 ? splitDebug(split) : supplementary });
  }
  return lacks;
}

function strippedParts(hasSymbols: boolean, hasInformation: boolean): string | null {
  if (hasInformation && hasSymbols) return null;
  if (hasInformation) {
    return 'The firmware ELF has no symbol table: variables, and functions of libraries and assembly, have no names.';
  }
  return hasSymbols
    ? 'The firmware ELF has no debug information (it was stripped of it, or built without -g): files, lines, inlined functions and arguments are missing. Upload the ELF as the build made it.'
    : 'The firmware ELF is stripped, it has neither symbols nor debug information: functions, files and lines have no names. Upload the ELF as the build made it.';
}

const withoutCode =
  'The firmware ELF has no code, only debug information (objcopy --only-keep-debug): callers cannot be found. Upload the ELF as the build made it.';

function missingCallFrames(sections: readonly ElfSection[]): string | null {
  const sizeOf = (some: readonly ElfSection[]) => some.reduce((sum, { size }) => sum + size, 0);
  const described = sizeOf(sections.filter(({ name }) => /^\.(z?debug|eh)_frame$/.test(name)));
  const code = sizeOf(sections.filter(({ flags }) => (flags & SHF_EXECINSTR) !== 0));
  const effect = 'callers are found by reading the code, and backtraces may end early.';
  if (described <= EMPTY_CALL_FRAMES) {
    return `The firmware ELF has no call-frame information (neither .debug_frame nor .eh_frame): ${effect}`;
  }
  return described * LEAST_CALL_FRAMES < code
    ? `The firmware ELF has call-frame information for a small part of its code only: elsewhere ${effect}`
    : null;
}

function compressed(compression: string): string {
  const remedy = compression === 'zstd' ? 'Use Node.js 22.15 or later, or link' : 'Link';
  return `The debug sections of the firmware ELF are compressed with ${compression}, which cannot be read here: names, lines and arguments are missing, and backtraces may end early. ${remedy} with -gz=zlib or -gz=none.`;
}

function splitDebug(units: number): string {
  return `The debug information of ${units} of the firmware’s source files is in .dwo files (-gsplit-dwarf), which are not in the ELF: inlined functions, arguments and perhaps names are missing. Build without -gsplit-dwarf.`;
}

const supplementary =
  'A part of the debug information is in a supplementary file (dwz -m), which is not in the ELF: names and types may be missing.';

function damagedSections(sections: readonly ElfSection[]): ReportWarning {
  const names = sections.map(({ name }) => name).join(', ');
  return {
    code: 'FIRMWARE_INCOMPLETE',
    message: `Sections of the firmware ELF are cut, damaged or too large, and were not read: ${names}.`,
  };
}

function* compressionThatIsUnknown(sections: readonly ElfSection[]): SectionSearch<string | null> {
  for (const section of sections) {
    if (!isDebug(section) || (section.flags & SHF_COMPRESSED) === 0) continue;
    const header = yield { section, offset: 0, length: COMPRESSION_HEADER_SIZE, isRaw: true };
    const unknown = header.length < COMPRESSION_HEADER_SIZE ? null : unknownCompression(header);
    if (unknown !== null) return unknown;
  }
  return null;
}

function isDebug({ name }: ElfSection): boolean {
  return name.startsWith('.debug_') || name.startsWith('.zdebug_');
}

function isUnreadable(elf: ElfFile, section: ElfSection): boolean {
  return section.type !== SHT_NOBITS && section.size > 0 && elf.contentsOf(section) === null;
}
