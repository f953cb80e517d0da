import { describe, expect, it } from 'vitest';
import { bunzipped } from '../../src/http/bunzip.js';

const LIMIT = 1024 * 1024;
/** `printf 'a dump of a device' | bzip2 | base64` */
const ARCHIVE = Buffer.from(
  'QlpoOTFBWSZTWQL8IbsAAAKRgEAALyLDACAAMQNA0CAaBoHTYq3Sr0kEZ4u5IpwoSAF+EN2A',
  'base64',
);
/** 100 MiB of zeros. */
const BOMB = Buffer.from(
  'QlpoOTFBWSZTWQ4J4t8BX45AAMAAAAggADCATUZCoCWpCoCXMUFZJlNZDgni3wFfjkAAwAAACCAAMIBNRkKgJakKgJcxQVkmU1mKltepAGQGRADAABAAAAggADDMBSmmKARbEoBF4u5IpwoSFdRTLWA=',
  'base64',
);

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size = bytes.length): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bunzipped(pieces(bytes, size), LIMIT)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('a body that may be a bzip2 archive', () => {
  it.each([1, 3, 1000])(
    'is decompressed, and otherwise left as it is, in pieces of %d bytes',
    async (size) => {
      expect(await read(ARCHIVE, size)).toBe('a dump of a device');
      expect(await read(Buffer.from('a dump of a device'), size)).toBe('a dump of a device');
      expect(await read(Buffer.from('BZ'), size)).toBe('BZ');
      expect(await read(Buffer.from('BZhello'), size)).toBe('BZhello');
      expect(await read(new Uint8Array(), size)).toBe('');
    },
  );

  it('is decompressed with all of its streams, as pbzip2 writes them', async () => {
    expect(await read(Buffer.concat([ARCHIVE, ARCHIVE]))).toBe('a dump of a devicea dump of a device');
  });

  it('is refused when it is cut or broken', async () => {
    const broken = Buffer.from(ARCHIVE);
    broken[20] = 0xff;

    await expect(read(ARCHIVE.subarray(0, 30))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(read(broken)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('is refused when it is thousands of small ones, each of which takes its time', async () => {
    const archives = Buffer.concat(Array.from({ length: 1_001 }, () => ARCHIVE));

    await expect(read(archives)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('is refused at the first block beyond the limit, not after 100 MiB', async () => {
    const before = process.memoryUsage().arrayBuffers;

    await expect(read(BOMB)).rejects.toMatchObject({ code: 'TOO_LARGE' });

    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * LIMIT);
  });
});
