import { type FileHandle, open } from 'node:fs/promises';
import { badInput } from '../errors.js';
import type { BlobStore, IncomingBlob } from '../platform/blobs/blob-store.js';
import { storageCall } from '../platform/blobs/storage-errors.js';
import { type ArchivedFile, withArchive } from './archive.js';
import { readVersionFile, type VersionClaim } from './version.js';

/** Content of a firmware bundle: the ELF, received but not yet published, and the versions that its files state. */
export interface BundleContent {
  /** The bundle itself if it is a bare ELF. */
  elf: IncomingBlob;
  claims: VersionClaim[];
}

const MAX_VERSION_FILE_BYTES = 64 * 1024;

/**
 * Limit of the compression ratio of an ELF. One with debug information deflates to a third or a tenth; beyond this
 * limit it is padding or a zip bomb. Small files are not checked.
 */
const MAX_RATIO = 100;
const ANY_RATIO_BELOW_BYTES = 1024 * 1024;

/**
 * Finds the ELF in a bundle: a ZIP archive with `{modelCode}.elf`, or the bare ELF. The first bytes decide which, not
 * the name.
 *
 * @throws DomainError BAD_USER_INPUT with what is wrong and how to correct it; STORAGE_FULL, UNAVAILABLE
 */
export async function openBundle(
  bundle: IncomingBlob,
  { modelCode, maxElfBytes, blobs }: { modelCode: string; maxElfBytes: number; blobs: BlobStore },
): Promise<BundleContent> {
  switch (await kindOf(bundle)) {
    case 'elf':
      return { elf: bundle, claims: [] };
    case 'zip':
      return withArchive(await bundle.file(), { maxInflatedBytes: maxElfBytes }, (files) =>
        unpack(files, modelCode, blobs),
      );
    case 'app image':
      throw badInput(
        'The bundle is an application image (.bin), which has no symbols: upload the .elf file that the build made beside it.',
      );
    case 'unknown':
      throw badInput(
        `The bundle is neither a ZIP archive nor an ELF file: upload a ZIP archive with ${modelCode}.elf in it, or the .elf file itself.`,
      );
  }
}

async function unpack(
  files: readonly ArchivedFile[],
  modelCode: string,
  blobs: BlobStore,
): Promise<BundleContent> {
  const file = findElf(files, `${modelCode}.elf`);
  if (file.size > ANY_RATIO_BELOW_BYTES && file.size > file.compressedSize * MAX_RATIO) {
    throw badInput(
      `"${file.name}" would inflate to more than ${MAX_RATIO} times its size, as no real ELF does: upload the ELF that the build made.`,
    );
  }
  const claims = await Promise.all(versionFilesFor(file, files).map(readClaim));
  const elf = await blobs.receive(file.read());
  try {
    await assertElf(elf, file.name);
    return { elf, claims };
  } catch (error) {
    await elf.discard();
    throw error;
  }
}

/** In any folder: CI often packs one. */
function findElf(files: readonly ArchivedFile[], wanted: string): ArchivedFile {
  const [found, another] = files.filter(({ name }) => basename(name) === wanted);
  if (found === undefined) throw badInput(`The ZIP archive has no ${wanted}${otherElfs(files, wanted)}.`);
  if (another === undefined) return found;
  throw badInput(
    `The ZIP archive has two files ${wanted}, "${found.name}" and "${another.name}": keep the one that the devices run.`,
  );
}

function otherElfs(files: readonly ArchivedFile[], wanted: string): string {
  const [other, ...more] = files.filter(({ name }) => /\.elf$/i.test(name));
  if (other === undefined) return ': add the ELF file of the build under that name';
  if (more.length > 0) return ` among its ${more.length + 1} ELF files: give the right one that name`;
  return `; its only ELF file is "${other.name}": rename it to ${wanted} if it is this model's, or choose its model`;
}

/** At the top of the archive, or in the folder of the ELF. */
function versionFilesFor(elf: ArchivedFile, files: readonly ArchivedFile[]): ArchivedFile[] {
  const folder = elf.name.slice(0, -basename(elf.name).length);
  return files.filter(({ name }) => name === 'version.json' || name === `${folder}version.json`);
}

async function readClaim(file: ArchivedFile): Promise<VersionClaim> {
  if (file.size > MAX_VERSION_FILE_BYTES) {
    throw badInput(
      `${file.name} is larger than ${MAX_VERSION_FILE_BYTES} bytes: write only the version into it.`,
    );
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.read()) chunks.push(chunk);
  return readVersionFile(file.name, Buffer.concat(chunks));
}

async function assertElf(elf: IncomingBlob, name: string): Promise<void> {
  switch (await kindOf(elf)) {
    case 'elf':
      return;
    case 'zip':
      throw badInput(`"${name}" in the ZIP archive is itself a ZIP archive: pack the ELF file directly.`);
    case 'app image':
      throw badInput(
        `"${name}" in the ZIP archive is an application image (.bin) under another name: pack the .elf file of the build.`,
      );
    case 'unknown':
      throw badInput(`"${name}" in the ZIP archive is not an ELF file: pack the .elf file of the build.`);
  }
}

async function kindOf(blob: IncomingBlob): Promise<'elf' | 'zip' | 'app image' | 'unknown'> {
  const handle = await storageCall(open(await blob.file(), 'r'));
  try {
    const magic = await storageCall(firstFour(handle));
    if (magic.equals(ELF_MAGIC)) return 'elf';
    if (ZIP_MAGICS.some((each) => magic.equals(each))) return 'zip';
    return magic[0] === APP_IMAGE_MAGIC ? 'app image' : 'unknown';
  } finally {
    await handle.close();
  }
}

const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');
/** Local file header; end of the table of contents, with which an empty archive starts (APPNOTE 4.3.7, 4.3.16). */
const ZIP_MAGICS = [Buffer.from('PK\x03\x04', 'latin1'), Buffer.from('PK\x05\x06', 'latin1')];
/** ESP_IMAGE_HEADER_MAGIC */
const APP_IMAGE_MAGIC = 0xe9;

async function firstFour(handle: FileHandle): Promise<Buffer> {
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  return buffer;
}

function basename(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
