/** What a file is, by its first bytes. */
type FileRole = 'crash' | 'firmware' | 'archive';

/** As many bytes as `roleOf` looks at. */
const HEAD_BYTES = 18;
const ELF = [0x7f, 0x45, 0x4c, 0x46];
const ZIP = [0x50, 0x4b, 0x03, 0x04];
/** `e_type` of the ELF header: bytes 16 and 17, little-endian on every chip of Espressif. */
const [TYPE_AT, ET_CORE] = [16, 4];

/** An ELF that is no core is taken for the firmware: the reader says what is wrong with it. All else may be a crash. */
function roleOf(head: Uint8Array): FileRole {
  const startsWith = (magic: readonly number[]) => magic.every((byte, at) => head[at] === byte);
  if (startsWith(ELF)) return head[TYPE_AT] === ET_CORE ? 'crash' : 'firmware';
  return startsWith(ZIP) ? 'archive' : 'crash';
}

/** Limits of this page: browsers give one page some gigabytes at most. The server has limits of its own. */
const MAX_BYTES = { crash: 64 * 1024 * 1024, firmware: 256 * 1024 * 1024 };
export const LIMITS = { crash: '64 MiB', firmware: '256 MiB' };

interface GivenFiles {
  crash: File | null;
  firmware: File | null;
  /** Files that are not taken, and why. */
  problems: readonly string[];
}

/** One crash and one firmware of the files that were dropped, chosen or pasted together. */
export async function sortFiles(files: readonly File[]): Promise<GivenFiles> {
  let crash: File | null = null;
  let firmware: File | null = null;
  const problems: string[] = [];
  for (const file of files) {
    const role = await roleOfFile(file);
    if (role === null) problems.push(`${file.name} cannot be read: is it a folder, or was it moved?`);
    else if (role === 'archive')
      problems.push(`${file.name} is a ZIP archive. Unpack it, and give the firmware’s .elf in it.`);
    else if (file.size > MAX_BYTES[role])
      problems.push(
        `${file.name} is too large: this page reads ${role === 'crash' ? 'crashes' : 'ELFs'} of at most ${LIMITS[role]}.`,
      );
    else if (file.size === 0) problems.push(`${file.name} is empty.`);
    else if (role === 'firmware' && firmware === null) firmware = file;
    else if (role === 'crash' && crash === null) crash = file;
    else
      problems.push(
        `${file.name} was left out: one ${role === 'crash' ? 'crash' : 'firmware'} is read at a time.`,
      );
  }
  return { crash, firmware, problems };
}

async function roleOfFile(file: File): Promise<FileRole | null> {
  try {
    return roleOf(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  } catch {
    return null;
  }
}
