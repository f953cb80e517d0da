import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, getFileNameLowLevel, type ZipFile } from 'yauzl';
import { badInput, DomainError, messageOf } from '../errors.js';
import { asStorageError, storageCall } from '../platform/blobs/storage-errors.js';
import { isSystemError } from '../platform/files/system-errors.js';
import { ArchiveFile } from './archive-file.js';
import { type ByteRange, clashKey, entryProblem, findOverlap, plainName } from './archive-rules.js';

/** A file in a ZIP archive whose complete table of contents was checked. */
export interface ArchivedFile {
  /** `/`-separated */
  name: string;
  compressedSize: number;
  /** The declared size after inflation; `read` yields exactly that many bytes or throws. */
  size: number;
  /** @throws DomainError BAD_USER_INPUT if sizes, checksum or compression turn out to be wrong; UNAVAILABLE */
  read(): AsyncIterable<Uint8Array>;
}

const MAX_ENTRIES = 10_000;
/** Limit for names, extra fields and comments together; a build needs a hundredth of it for 10,000 names. */
const MAX_CONTENTS_BYTES = 4 * 1024 * 1024;

/**
 * Opens the ZIP archive at `path`, checks every entry before any is inflated, and passes the files to `use`. Memory is
 * bounded to a few megabytes, whatever the archive declares.
 *
 * @param maxInflatedBytes limit for the declared sizes of all files together
 * @throws DomainError BAD_USER_INPUT with what is wrong and how to correct it; UNAVAILABLE
 */
export async function withArchive<T>(
  path: string,
  { maxInflatedBytes }: { maxInflatedBytes: number },
  use: (files: readonly ArchivedFile[]) => Promise<T>,
): Promise<T> {
  const handle = await storageCall(open(path, 'r'));
  try {
    const { size } = await storageCall(handle.stat());
    const file = new ArchiveFile(handle, size);
    const zip = await zipCall(fromRandomAccessReaderPromise(file, size, ZIP_OPTIONS));
    return await use(await survey(zip, maxInflatedBytes));
  } finally {
    await handle.close();
  }
}

/** Raw names, so that yauzl neither changes nor refuses any: `archive-rules.ts` checks them. */
const ZIP_OPTIONS = { autoClose: false, decodeStrings: false };

async function survey(zip: ZipFile, maxInflatedBytes: number): Promise<ArchivedFile[]> {
  if (zip.entryCount > MAX_ENTRIES) {
    throw refused(
      `it has ${zip.entryCount} entries and ${MAX_ENTRIES} are the limit; pack only what is needed`,
    );
  }
  // @types/yauzl declares this number as a boolean.
  const contentsStart = Number(zip.readEntryCursor);
  const ranges: ByteRange[] = [{ name: 'its table of contents', start: contentsStart, end: zip.fileSize }];
  const names = new Map<string, string>();
  const files: ArchivedFile[] = [];
  let contentsBytes = 0;
  let inflatedBytes = 0;
  const entries = zip.eachEntry();
  for (;;) {
    const { done, value: entry } = await zipCall(entries.next());
    if (done) break;
    const name = nameOf(entry);
    contentsBytes += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
    if (contentsBytes > MAX_CONTENTS_BYTES)
      throw refused('its table of contents is too large; pack it again');
    const problem = entryProblem(entry, name);
    if (problem !== null) throw refused(`its entry ${shown(name)} ${problem}`);
    refuseClash(names, name);
    inflatedBytes += entry.uncompressedSize;
    if (inflatedBytes > maxInflatedBytes) {
      throw refused(
        `its files inflate to more than ${maxInflatedBytes} bytes; pack only the ELF and version.json`,
      );
    }
    ranges.push(await rangeOf(zip, entry, name));
    if (!name.endsWith('/')) files.push(archivedFile(zip, entry, plainName(name)));
  }
  const overlap = findOverlap(ranges);
  if (overlap !== null) {
    const [one, other] = overlap.map((range) => shown(range.name));
    throw refused(`${one} and ${other} share the same bytes; pack it with an ordinary ZIP program`);
  }
  return files;
}

function nameOf(entry: Entry): string {
  return getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
}

function refuseClash(names: Map<string, string>, name: string): void {
  const key = clashKey(name);
  const earlier = names.get(key);
  names.set(key, name);
  if (earlier === undefined) return;
  const what =
    earlier === name ? `it has ${shown(name)} twice` : `${shown(earlier)} and ${shown(name)} clash`;
  throw refused(`${what} on file systems that ignore case; keep one of them`);
}

/** The bytes that the entry occupies in the archive: its local header, which must have the same name, and its data. */
async function rangeOf(zip: ZipFile, entry: Entry, name: string): Promise<ByteRange> {
  const header = await zipCall(zip.readLocalFileHeaderPromise(entry));
  if (!header.fileName.equals(entry.fileNameRaw)) {
    throw refused(`its entry ${shown(name)} has another name in its local header; pack it again`);
  }
  const start = entry.relativeOffsetOfLocalHeader;
  return { name, start, end: header.fileDataStart + entry.compressedSize };
}

function archivedFile(zip: ZipFile, entry: Entry, name: string): ArchivedFile {
  return {
    name,
    compressedSize: entry.compressedSize,
    size: entry.uncompressedSize,
    read: () => inflate(zip, entry, name),
  };
}

async function* inflate(zip: ZipFile, entry: Entry, name: string): AsyncGenerator<Uint8Array> {
  let checksum = 0;
  try {
    // yauzl ends the stream with an error at the first byte over the declared size, and when there are too few bytes.
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      const bytes: Uint8Array = chunk;
      checksum = crc32(bytes, checksum);
      yield bytes;
    }
  } catch (error) {
    throw asArchiveError(error, `${shown(name)} in the ZIP archive`);
  }
  if (checksum !== entry.crc32) {
    throw badInput(
      `${shown(name)} in the ZIP archive is damaged (wrong checksum): pack and upload it again.`,
    );
  }
}

async function zipCall<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw asArchiveError(error, 'The ZIP archive');
  }
}

/** yauzl and zlib throw plain errors for bad bytes; errors of the disk have a system error code. */
function asArchiveError(error: unknown, what: string): unknown {
  if (error instanceof DomainError) return error;
  if (isSystemError(error)) return asStorageError(error);
  const reason = messageOf(error);
  return badInput(`${what} is damaged (${shown(reason)}): pack and upload it again.`);
}

function refused(why: string): DomainError {
  return badInput(`The ZIP archive was refused: ${why}.`);
}

/** Quoted, on one line, and cut to a length that fits into a message. */
function shown(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
