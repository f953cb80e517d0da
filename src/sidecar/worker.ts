import { readFileSync } from 'node:fs';
import { readCrashDump, UnreadableDump } from '../crashdump/index.js';
import { createFirmwareCache } from './firmware-cache.js';
import { openRomLibrary, type RomLibrary } from './rom-library.js';
import { readTransferFile } from './transfer-file.js';

/** `core` and `elf` are names of files in the transfer folder, as `isTransferName` accepts them. */
export interface ParseTask {
  xferDir: string;
  core: string;
  /** Null when there is no build: then the report has what the dump alone tells. */
  elf: string | null;
  /** Folder of ROM ELFs, the same in every task; null when there is none. */
  romElfDir: string | null;
  /** The server's value for the chip, or "auto". */
  chip: string;
}

export type WorkerOutcome =
  /** The JSON of an answer 200 (docs/sidecar-protocol.md); as text, because text crosses threads faster than objects. */
  | { status: 'parsed'; body: string }
  /** The dump cannot be read, or is no crash: another attempt cannot succeed. */
  | { status: 'unreadable'; reason: string }
  /** A text that only looks like a crash. The JSON of an answer 422, which says what is in it all the same. */
  | { status: 'no crash'; reason: string; body: string }
  | { status: 'missing'; reason: string }
  | { status: 'refused'; reason: string }
  | { status: 'failed'; reason: string };

/** The server's limit for an answer; reports of real dumps are far smaller. */
const MAX_BODY_LENGTH = 8 * 1024 * 1024;

/** One per thread: images are not shared between threads. */
const openCached = createFirmwareCache();
let findRom: RomLibrary | undefined;

/** The task of a pool worker. @throws only on a defect of the reader */
export default function parse({ xferDir, romElfDir, core, elf, chip }: ParseTask): WorkerOutcome {
  const dump = readTransferFile(xferDir, core, (file) => readFileSync(file));
  if (dump.status !== 'read') return dump;
  const firmware = elf === null ? null : readTransferFile(xferDir, elf, openCached);
  if (firmware !== null && firmware.status !== 'read') return firmware;

  try {
    findRom ??= openRomLibrary(romElfDir);
    const { report, output } = readCrashDump({
      core: dump.contents,
      elf: firmware?.contents ?? null,
      chip,
      findRom,
    });
    const noCrash = report.warnings.find(({ code }) => code === 'NO_CRASH');
    const refusal = noCrash === undefined ? {} : { error: noCrash.message, code: noCrash.code };
    const body = JSON.stringify({ ...refusal, output, report });
    if (body.length > MAX_BODY_LENGTH) {
      return { status: 'failed', reason: `the report has ${body.length} characters, too many to send` };
    }
    if (noCrash !== undefined) return { status: 'no crash', reason: noCrash.message, body };
    return { status: 'parsed', body };
  } catch (error) {
    if (error instanceof UnreadableDump) return { status: 'unreadable', reason: error.message };
    throw error;
  }
}

/** Returns as soon as this thread has loaded its modules. */
export function doNothing(): void {}
