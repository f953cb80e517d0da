import * as z from 'zod';
import { badInput } from '../errors.js';
import { parseJson } from '../platform/json.js';

/** A version stated for a build, and where it was stated. */
export interface VersionClaim {
  version: string;
  /** The source as users know it: `the argument "version"` */
  from: string;
}

const DESCRIPTOR = "the ELF's application descriptor";

/** The versions that a device may send with a dump: no dump could refer to a build with any other version. */
const VERSION = /^[A-Za-z0-9._+-]{1,64}$/;

/**
 * The version on which all claims agree.
 * @throws DomainError BAD_USER_INPUT when there is none, when two disagree, or when it is not a valid version
 */
function agreedVersion(claims: readonly VersionClaim[]): string {
  const [first] = claims;
  if (first === undefined) {
    throw badInput(
      'The bundle has no version: give it in the argument "version", in a version.json inside the ZIP archive, ' +
        'or set PROJECT_VER in the ESP-IDF project so that the ELF has it.',
      { field: 'version' },
    );
  }
  const other = claims.find(({ version }) => version !== first.version);
  if (other !== undefined) {
    throw badInput(
      `The versions disagree: ${shown(first.version)} in ${first.from}, ${shown(other.version)} in ${other.from}; ` +
        `upload the bundle of the build that you mean, or correct the version.${other.from === DESCRIPTOR ? HOW_TO_ALLOW : ''}`,
      { field: 'version' },
    );
  }
  assertVersion(first);
  return first.version;
}

const HOW_TO_ALLOW =
  ' To store it under a version that is not that of the ELF, set allowVersionMismatch (--allow-version-mismatch).';

/**
 * The version under which a build is stored: what the uploader states, else what the ELF's descriptor says.
 *
 * @param elfVersion of the descriptor; null when it has none
 * @param allowMismatch the statement counts although the descriptor says otherwise
 * @throws DomainError BAD_USER_INPUT as `agreedVersion`
 */
export function labelOf(
  stated: readonly VersionClaim[],
  elfVersion: string | null,
  { allowMismatch }: { allowMismatch: boolean },
): string {
  if (elfVersion === null || (allowMismatch && stated.length > 0)) return agreedVersion(stated);
  return agreedVersion([...stated, { version: elfVersion, from: DESCRIPTOR }]);
}

/** @param field the input with the version, where it is one of its own. @throws DomainError BAD_USER_INPUT */
export function assertVersion({ version, from }: VersionClaim, field?: string): void {
  if (VERSION.test(version) && !version.includes('..')) return;
  throw badInput(
    `${shown(version)} in ${from} cannot be a version: use 1 to 64 of the characters A-Z a-z 0-9 . _ + - without "..".`,
    { field },
  );
}

/** Of the sources of a build: a Git commit, or what `git describe` says. @throws DomainError BAD_USER_INPUT */
export function assertRevision(revision: string): void {
  if (VERSION.test(revision) && !revision.includes('..')) return;
  throw badInput(
    `${shown(revision)} cannot be a revision: use 1 to 64 of the characters A-Z a-z 0-9 . _ + - without "..", such as a Git commit.`,
    { field: 'revision' },
  );
}

const versionFile = z.union([z.string(), z.object({ version: z.string() })]);

/**
 * @param name file name for messages
 * @throws DomainError BAD_USER_INPUT
 */
export function readVersionFile(name: string, content: Uint8Array): VersionClaim {
  const parsed = versionFile.safeParse(parseJson(decode(content) ?? ''));
  if (!parsed.success) {
    throw badInput(`${name} does not hold a version: write "1.2.3" or {"version": "1.2.3"} into it.`);
  }
  return { version: typeof parsed.data === 'string' ? parsed.data : parsed.data.version, from: name };
}

/** @returns null if it is not UTF-8 */
function decode(content: Uint8Array): string | null {
  try {
    // TextDecoder removes the byte order mark that Windows editors write.
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return null;
  }
}

/** Quoted, on one line, and cut to a length that fits into a message. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
