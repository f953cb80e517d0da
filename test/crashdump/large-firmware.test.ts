import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFirmware, readCrashDump } from '../../src/crashdump/index.js';
import { fixture } from '../support/fixtures.js';
import { buildLargeFirmware, hasCompiler, type LargeFirmware } from '../support/large-firmware.js';

const MB = 1024 * 1024;
const gateway = fixture('gateway-0.3.0');

describe.skipIf(!hasCompiler)(
  `a C++ firmware of 30 MB${hasCompiler ? '' : ' (no gcc-riscv64-unknown-elf)'}`,
  () => {
    let dir: string;
    let large: LargeFirmware;

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'coredock-large-'));
      large = await buildLargeFirmware(dir, 250);
    }, 180_000);
    afterAll(() => rm(dir, { recursive: true, force: true }));

    it.each(gateway.crashes)('gives the frames that the small one gives: %s', async (crash) => {
      const small = readCrashDump({
        core: await readFile(gateway.dump(crash)),
        elf: await readFile(gateway.elfPath),
      });

      const { report } = readCrashDump({ core: await large.dump(crash), elf: large.elf });

      expect(large.elf.length).toBeGreaterThan(28 * MB);
      expect(report).toMatchObject({ elfMatches: true, warnings: [] });
      expect(report.tasks).toEqual(small.report.tasks);
    });

    it('knows the code of its last component as well as that of its first', () => {
      const image = openFirmware(large.elf);

      for (const copy of [0, 249]) {
        const symbol = image.symbol(`copy${copy}_${flushOf(copy)}`);
        expect(image.symbolAt((symbol?.address ?? 0) + 2)?.name).toMatch(
          /Service3::flush\(component_\d+::State3\)$/,
        );
        expect(image.framesAt((symbol?.address ?? 0) + 2)[0]?.file).toMatch(/kind-\d+\.cpp$/);
      }
      expect(image.notes()).toEqual([]);
    });
  },
);

/** Components have 4, 12 and 60 services in turns. */
function flushOf(copy: number): string {
  const services = String([4, 12, 60][copy % 3]);
  const component = `component_${services}`;
  return `_ZN${component.length}${component}8Service35flushENS_6State3E`;
}
