import type { TestApp } from './app.js';

/**
 * The smallest ELF that passes for firmware: 32-bit little-endian RISC-V, one allocated section `.flash.appdesc` with
 * an application descriptor (ESP-IDF esp_app_format: `esp_app_desc_t`). Or the same for an ESP32: Xtensa, with code in the
 * instruction RAM that this chip alone has there.
 */
export function aFirmwareElf({
  version = '1.0.0',
  project = 'thermostat',
  note = '',
  isForEsp32 = false,
} = {}): Buffer {
  const descriptor = Buffer.alloc(256);
  descriptor.writeUInt32LE(0xabcd5432, 0);
  descriptor.write(version, 16, 32);
  descriptor.write(project, 48, 32);
  descriptor.write('v5.3', 112, 32);
  const names = Buffer.from(`\0.flash.appdesc\0.shstrtab\0${isForEsp32 ? '.iram0.text' : '.comment'}\0`);
  const comment = Buffer.from(`${note}\0`);

  const header = Buffer.alloc(52);
  const descriptorAt = header.length;
  const namesAt = descriptorAt + descriptor.length;
  const commentAt = namesAt + names.length;
  const sectionsAt = Math.ceil((commentAt + comment.length) / 4) * 4;
  header.write('\x7fELF', 0, 'latin1');
  header.set([1, 1, 1], 4);
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(isForEsp32 ? 94 : 0xf3, 18); // EM_XTENSA, EM_RISCV
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(sectionsAt, 32);
  header.writeUInt16LE(52, 40);
  header.writeUInt16LE(40, 46);
  header.writeUInt16LE(4, 48);
  header.writeUInt16LE(2, 50);

  const section = (
    name: number,
    type: number,
    flags: number,
    address: number,
    offset: number,
    size: number,
  ) => {
    const bytes = Buffer.alloc(40);
    [name, type, flags, address, offset, size, 0, 0, 4, 0].forEach((word, index) => {
      bytes.writeUInt32LE(word, index * 4);
    });
    return bytes;
  };
  return Buffer.concat([
    header,
    descriptor,
    names,
    comment,
    Buffer.alloc(sectionsAt - commentAt - comment.length),
    Buffer.alloc(40),
    section(1, 1, 2, 0x3c020020, descriptorAt, descriptor.length),
    section(16, 3, 0, 0, namesAt, names.length),
    section(26, 1, 0, isForEsp32 ? 0x40080400 : 0, commentAt, comment.length),
  ]);
}

/** The same ELF with the magic of its application descriptor gone. */
export function withoutDescriptor(elf: Buffer): Buffer {
  const changed = Buffer.from(elf);
  changed.writeUInt32LE(0, changed.indexOf(Buffer.from([0x32, 0x54, 0xcd, 0xab])));
  return changed;
}

interface FirmwareUpload {
  elf?: Uint8Array;
  modelCode?: string;
  version?: string;
  allowVersionMismatch?: boolean;
  filename?: string;
  headers?: Record<string, string>;
  /** What is asked of the answer. */
  selection?: string;
}

/** Uploads a bare ELF as CI does: a GraphQL multipart request. */
export async function sendFirmware(
  app: Pick<TestApp, 'url'>,
  {
    elf = aFirmwareElf(),
    modelCode = 'thermostat',
    version,
    allowVersionMismatch,
    filename = 'firmware.elf',
    headers = {},
    selection = 'firmware { id version elfSha256 chip size }',
  }: FirmwareUpload,
): Promise<Response> {
  const form = new FormData();
  const query = `mutation ($model: String!, $bundle: Upload!, $version: String, $allowVersionMismatch: Boolean) {
    uploadFirmware(input: {
      modelCode: $model, bundle: $bundle, version: $version, allowVersionMismatch: $allowVersionMismatch
    }) { ${selection} }
  }`;
  const variables = { model: modelCode, bundle: null, version, allowVersionMismatch };
  form.set('operations', JSON.stringify({ query, variables }));
  form.set('map', JSON.stringify({ bundle: ['variables.bundle'] }));
  form.set('bundle', new Blob([new Uint8Array(elf)]), filename);
  return fetch(`${app.url}/graphql`, { method: 'POST', headers, body: form });
}

/** The same, for when it must succeed. */
export async function uploadFirmware(
  app: Pick<TestApp, 'url'>,
  firmware: Omit<FirmwareUpload, 'selection'>,
): Promise<{ id: string; version: string; elfSha256: string; chip: string | null; size: number }> {
  const response = await sendFirmware(app, firmware);
  const { data, errors } = (await response.json()) as {
    data?: { uploadFirmware: { firmware: never } | null };
    errors?: unknown;
  };
  if (data?.uploadFirmware == null || errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.uploadFirmware.firmware;
}
