import { describe, expect, it } from 'vitest';
import { aFirmwareElf, withoutDescriptor } from '../support/firmware.js';
import { aFirmwareService } from '../support/firmware-service.js';
import { aZip } from '../support/hostile-zip.js';

describe('the version of a build', () => {
  const elf = (version: string) => aFirmwareElf({ version });
  const bundle = (elfVersion: string | null, versionFile?: string, versionFileName = 'version.json') =>
    aZip([
      {
        name: 'out/thermostat.elf',
        content: elfVersion === null ? withoutDescriptor(elf('1')) : elf(elfVersion),
      },
      ...(versionFile === undefined ? [] : [{ name: versionFileName, content: versionFile }]),
    ]);

  it.each([
    ['the argument', bundle(null), '7.0.0'],
    ['version.json as an object', bundle(null, '{"version": "7.0.0", "commit": "abc"}'), undefined],
    ['version.json as a string', bundle(null, '"7.0.0"'), undefined],
    ['version.json with a byte order mark', bundle(null, '\ufeff"7.0.0"'), undefined],
    ['version.json beside the ELF', bundle(null, '"7.0.0"', 'out/version.json'), undefined],
    ['the application descriptor', bundle('7.0.0'), undefined],
    ['all three when they agree', bundle('7.0.0', '"7.0.0"'), '7.0.0'],
  ])('comes from %s', async (_, bytes, version) => {
    const { upload } = await aFirmwareService();

    const firmware = await upload(bytes, version === undefined ? {} : { version });

    expect(firmware.version).toBe('7.0.0');
  });

  it.each([
    ['argument and version.json', bundle(null, '"2.0.0"'), '1.0.0', ['the argument', 'version.json']],
    ['argument and descriptor', bundle('2.0.0'), '1.0.0', ['the argument', 'application descriptor']],
    [
      'version.json and descriptor',
      bundle('2.0.0', '"1.0.0"'),
      undefined,
      ['version.json', 'application descriptor'],
    ],
  ])('is refused when %s disagree, naming both', async (_, bytes, version, places) => {
    const { upload, elfs, unfinished } = await aFirmwareService();

    const refusal = await refusalOf(upload(bytes, version === undefined ? {} : { version }));

    for (const part of ['"1.0.0"', '"2.0.0"', ...places]) expect(refusal).toContain(part);
    expect(elfs()).toEqual([]);
    expect(unfinished()).toEqual([]);
  });

  it.each([
    ['the argument', bundle('2.0.0'), '1.0.0'],
    ['version.json', bundle('2.0.0', '"1.0.0"'), undefined],
    ['the argument, of an ELF with a version that no device could send', bundle('v2 (dirty)'), '1.0.0'],
  ])('is that of %s when it may differ from the descriptor, and both are kept', async (_, bytes, version) => {
    const { upload } = await aFirmwareService();

    const refusal = await refusalOf(upload(bytes, version === undefined ? {} : { version }));
    const firmware = await upload(bytes, {
      ...(version === undefined ? {} : { version }),
      allowVersionMismatch: true,
    });

    expect(refusal).toContain('allowVersionMismatch');
    expect(firmware.version).toBe('1.0.0');
    expect(firmware.elfVersion).toMatch(/2/);
  });

  it('is that of the descriptor when nothing else gives one, also when it may differ', async () => {
    const { upload } = await aFirmwareService();

    expect(await upload(bundle('2.0.0'), { allowVersionMismatch: true })).toMatchObject({
      version: '2.0.0',
      elfVersion: '2.0.0',
    });
  });

  it('is refused when argument and version.json disagree, whatever the ELF may have', async () => {
    const { upload } = await aFirmwareService();

    const refusal = await refusalOf(
      upload(bundle('3.0.0', '"2.0.0"'), { version: '1.0.0', allowVersionMismatch: true }),
    );

    expect(refusal).toMatch(/"1\.0\.0".*"2\.0\.0"/);
  });

  it('is asked for when nothing gives one, with the three ways to give it', async () => {
    const { upload } = await aFirmwareService();

    const refusal = await refusalOf(upload(bundle(null)));

    for (const way of ['argument "version"', 'version.json', 'PROJECT_VER']) expect(refusal).toContain(way);
  });

  it.each(['', ' 1', '1..2', '../1', 'a/b', 'x'.repeat(65), '1\n', 'é'])(
    'is refused as %j',
    async (version) => {
      const { upload } = await aFirmwareService();

      expect(await refusalOf(upload(withoutDescriptor(elf('1')), { version }))).toContain(
        'cannot be a version',
      );
    },
  );

  it.each(['{}', '[]', 'null', '7', '{"version": 7}', 'not JSON', ''])(
    'is refused when version.json holds %j',
    async (content) => {
      const { upload } = await aFirmwareService();

      expect(await refusalOf(upload(bundle('1.0.0', content)))).toContain('version.json');
    },
  );

  it('is refused when version.json is larger than any version', async () => {
    const { upload } = await aFirmwareService();
    const content = `"${Array.from({ length: 70_000 }, (_, index) => index).join(' ')}"`;

    expect(await refusalOf(upload(bundle('1.0.0', content)))).toContain('version.json is larger');
  });
});

async function refusalOf(upload: Promise<unknown>): Promise<string> {
  const error: unknown = await upload.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
  return error instanceof Error ? error.message : '';
}
