import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const STUBS = fileURLToPath(new URL('../idf', import.meta.url));

/** A chip that headers are taken for, one of each architecture. */
export interface HeaderTarget {
  chip: 'esp32c3' | 'esp32s3';
  architecture: 'riscv' | 'xtensa';
  flags: readonly string[];
}

export const RISCV_TARGET: HeaderTarget = {
  chip: 'esp32c3',
  architecture: 'riscv',
  flags: ['-D__riscv=1', '-D__riscv_xlen=32', '-DRVHAL_EXCM_LEVEL_CLIC=1'],
};
export const XTENSA_TARGET: HeaderTarget = {
  chip: 'esp32s3',
  architecture: 'xtensa',
  flags: ['-D__XTENSA__=1'],
};

/** Folders of headers, below `components`; no release has all of them. */
const foldersOf = ({ chip, architecture }: HeaderTarget) => [
  'freertos/FreeRTOS-Kernel/include',
  'freertos/FreeRTOS-Kernel/include/freertos',
  `freertos/FreeRTOS-Kernel/portable/${architecture}/include`,
  `freertos/FreeRTOS-Kernel/portable/${architecture}/include/freertos`,
  'freertos/config/include',
  'freertos/config/include/freertos',
  `freertos/config/${architecture}/include`,
  'freertos/esp_additions/include',
  'freertos/esp_additions/include/freertos',
  `freertos/esp_additions/arch/${architecture}/include`,
  ...['esp_common', 'esp_system', 'esp_hw_support', 'esp_rom', 'esp_timer', 'esp_event', 'esp_netif'].map(
    (component) => `${component}/include`,
  ),
  ...[
    'esp_http_client',
    'espcoredump',
    'esp_partition',
    'esp_app_format',
    'log',
    'soc',
    'hal',
    architecture,
    'heap',
  ].map((component) => `${component}/include`),
  ...['spi_flash', 'esp_security', 'esp_blockdev'].map((component) => `${component}/include`),
  'esp_hw_support/include/soc',
  'esp_hw_support/etm/include',
  `esp_rom/include/${chip}`,
  `esp_rom/${chip}`,
  `esp_rom/${chip}/include`,
  `espcoredump/include/port/${architecture}`,
  'mbedtls/esp_crt_bundle/include',
  `soc/${chip}`,
  `soc/${chip}/include`,
  `soc/${chip}/register`,
  `hal/${chip}/include`,
  'hal/platform_port/include',
  `${architecture}/${chip}/include`,
];

/** Names the git directory, or a checkout, of espressif/esp-idf. */
export const ESP_IDF = process.env.COREDOCK_ESP_IDF;

const git = (args: string[]) => spawnSync('git', ['-C', ESP_IDF ?? '.', ...args], { encoding: 'utf8' });

export function hasRevision(revision: string): boolean {
  return (
    ESP_IDF !== undefined && git(['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]).status === 0
  );
}

/** Takes the headers of a revision out of git. @returns compiler flags that name them */
export async function headersOf(revision: string, folder: string, target = RISCV_TARGET): Promise<string[]> {
  const folders = foldersOf(target);
  await mkdir(folder, { recursive: true });
  const wanted = [...new Set(folders.map((path) => `components/${path.split('/')[0]}`))];
  const present = git(['ls-tree', '--name-only', revision, 'components/']).stdout.split('\n');
  const paths = wanted.filter((path) => present.includes(path));
  const archive = join(folder, 'headers.tar');
  git(['archive', '--output', archive, revision, '--', ...paths]);
  spawnSync('tar', ['-xf', archive, '-C', folder, '--wildcards', '*.h']);
  const found = folders.map((path) => join(folder, 'components', path)).filter((path) => existsSync(path));
  return [
    ...['-I', STUBS, '-DESP_PLATFORM', ...target.flags],
    ...found.flatMap((path) => ['-isystem', path]),
  ];
}
