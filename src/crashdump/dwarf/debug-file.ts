import { ByteReader, Malformed } from '../bytes.js';
import type { ElfFile } from '../elf/elf-file.js';
import { type Abbreviations, readAbbreviations } from './abbreviations.js';
import { WorkBudget } from './budget.js';

/** The debug sections of one ELF, and the state that is shared while they are read. */
export interface DebugFile {
  /** A new reader for each caller; an empty one when the section does not exist. */
  section(name: string): ByteReader;
  /** @throws Malformed */
  abbreviations(offset: number, isWide: boolean): Abbreviations;
  readonly budget: WorkBudget;
  /** Runs `read`. When the data is malformed, adds a note and returns `otherwise`; the rest stays readable. */
  attempt<T>(what: string, otherwise: T, read: () => T): T;
  note(sentence: string): void;
  /** The parts that could not be read, one sentence each. */
  readonly notes: ReadonlySet<string>;
}

const MAX_NOTES = 20;
/** Every byte is read a few times at most (skipped, scanned, decoded); small files get a minimum. */
const WORK_PER_BYTE = 32;
const WORK_FOR_ALL = 1_000_000;

export function openDebugFile(elf: ElfFile): DebugFile {
  const debugBytes = elf.sections
    .filter(({ name }) => name.startsWith('.debug_') || name.startsWith('.zdebug_'))
    .reduce((sum, { name, size }) => sum + (elf.contents(name)?.length ?? size), 0);
  const budget = new WorkBudget(WORK_FOR_ALL + debugBytes * WORK_PER_BYTE);
  const sections = new Map<string, ByteReader>();
  const abbreviations = new Map<string, Abbreviations>();
  const notes = new Set<string>();

  const section = (name: string) => {
    let whole = sections.get(name);
    if (whole === undefined) {
      whole = elf.contents(name) ?? new ByteReader(name, new Uint8Array(0));
      sections.set(name, whole);
    }
    return whole.slice(name, 0, whole.length);
  };

  const note = (sentence: string) => {
    if (notes.size < MAX_NOTES) notes.add(sentence);
  };

  return {
    section,
    budget,
    note,
    notes,
    abbreviations(offset, isWide) {
      const key = `${offset}/${isWide}`;
      let table = abbreviations.get(key);
      if (table === undefined) {
        table = readAbbreviations(section('.debug_abbrev'), offset, isWide, budget);
        abbreviations.set(key, table);
      }
      return table;
    },
    attempt(what, otherwise, read) {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        note(`${what} could not be read: ${error.message}.`);
        return otherwise;
      }
    },
  };
}
