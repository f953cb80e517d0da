import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type CrashOf, fixture } from './fixtures.js';

const BUILD = fileURLToPath(new URL('../fixtures/large/build.sh', import.meta.url));
/** Of the checksum at the end of our gateway's dumps. */
const SHA256_BYTES = 32;

/** Debian's gcc-riscv64-unknown-elf, which test/fixtures/large/build.sh needs. */
export const hasCompiler = spawnSync('riscv64-unknown-elf-g++', ['--version']).status === 0;

export interface LargeFirmware {
  elf: Buffer;
  /** The gateway's dump as this build would have written it. */
  dump(crash: CrashOf<'gateway-0.3.0'>): Promise<Buffer>;
}

/** @param copies of generated components, about 120 kB each: 250 make 30 MB */
export async function buildLargeFirmware(dir: string, copies: number): Promise<LargeFirmware> {
  const path = join(dir, `large-${copies}.elf`);
  await promisify(execFile)(BUILD, [path, String(copies)]);
  const elf = await readFile(path);
  const gateway = fixture('gateway-0.3.0');
  const hashes = [await readFile(gateway.elfPath), elf].map((bytes) =>
    createHash('sha256').update(bytes).digest('hex'),
  );
  const [was = '', is = ''] = hashes;
  return {
    elf,
    async dump(crash) {
      const dump = await readFile(gateway.dump(crash));
      dump.write(is, dump.indexOf(was, 0, 'latin1'), 'latin1');
      const end = dump.readUInt32LE(0) - SHA256_BYTES;
      createHash('sha256').update(dump.subarray(0, end)).digest().copy(dump, end);
      return dump;
    },
  };
}
