import type { Entry } from 'yauzl';

/**
 * Checks an entry of a ZIP archive. Nothing is ever unpacked under an entry's name, so most of these entries could do
 * no harm here. But a build does not produce them, and another program may unpack the archive later with fewer checks.
 * (APPNOTE.TXT is PKWARE's ZIP specification.)
 *
 * @param name from `entryName`
 * @returns what is wrong with the entry and how to correct it, or null
 */
export function entryProblem(entry: Entry, name: string): string | null {
  return nameProblem(name) ?? kindProblem(entry) ?? codingProblem(entry);
}

function nameProblem(name: string): string | null {
  if (name.length > MAX_NAME_LENGTH)
    return `has a name of more than ${MAX_NAME_LENGTH} characters; shorten it`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(name)) return 'has control characters in its name; rename it';
  if (name.includes('\\')) return 'has a backslash in its name; pack with "/" between folders';
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name))
    return 'has an absolute name; pack with relative names';
  if (name.split('/').includes('..')) return 'leads out of the archive; pack without ".."';
  return null;
}

function kindProblem(entry: Entry): string | null {
  // APPNOTE 4.4.15: the upper half is the Unix mode if the archive was made on Unix, else zero.
  const fileType = (entry.externalFileAttributes >>> 16) & 0o170000;
  if (fileType === 0o120000) return 'is a symbolic link; pack the file itself';
  const isPlain = fileType === 0 || fileType === 0o100000 || fileType === 0o040000;
  return isPlain ? null : 'is neither a file nor a folder; remove it';
}

function codingProblem(entry: Entry): string | null {
  if (entry.isEncrypted()) return 'is encrypted; pack without a password';
  const isKnown = entry.compressionMethod === 0 || entry.compressionMethod === 8;
  return isKnown ? null : `is compressed by method ${entry.compressionMethod}; use deflate or none`;
}

const MAX_NAME_LENGTH = 1_024;

/**
 * Names that some common file system treats as equal have the same key: case, Unicode composition, `./` and doubled
 * slashes are ignored.
 */
export function clashKey(name: string): string {
  return plainName(name).normalize('NFC').toLowerCase();
}

/** Removes what does not change the path: `./`, doubled slashes, the slash at the end of a folder. */
export function plainName(name: string): string {
  return name
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

export interface ByteRange {
  name: string;
  start: number;
  /** exclusive */
  end: number;
}

/** The first two ranges that share bytes, or null. With overlapping entries a small archive can unpack to petabytes. */
export function findOverlap(ranges: readonly ByteRange[]): [ByteRange, ByteRange] | null {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  for (const [index, range] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && next.start < range.end) return [range, next];
  }
  return null;
}
