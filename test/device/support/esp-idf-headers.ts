import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const STUBS = fileURLToPath(new URL('../idf', import.meta.url));

/** Folders of headers, below `components`; no release has all of them. */
const FOLDERS = [
  'freertos/FreeRTOS-Kernel/include',
  'freertos/FreeRTOS-Kernel/include/freertos',
  'freertos/FreeRTOS-Kernel/portable/riscv/include',
  'freertos/FreeRTOS-Kernel/portable/riscv/include/freertos',
  'freertos/config/include',
  'freertos/config/include/freertos',
  'freertos/config/riscv/include',
  'freertos/esp_additions/include',
  'freertos/esp_additions/include/freertos',
  'freertos/esp_additions/arch/riscv/include',
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
    'riscv',
    'heap',
  ].map((component) => `${component}/include`),
  ...['spi_flash', 'esp_security', 'esp_blockdev'].map((component) => `${component}/include`),
  'esp_hw_support/include/soc',
  'esp_hw_support/etm/include',
  'esp_rom/include/esp32c3',
  'esp_rom/esp32c3',
  'esp_rom/esp32c3/include',
  'espcoredump/include/port/riscv',
  'mbedtls/esp_crt_bundle/include',
  'soc/esp32c3',
  'soc/esp32c3/include',
  'soc/esp32c3/register',
  'hal/esp32c3/include',
  'hal/platform_port/include',
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
export async function headersOf(revision: string, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const wanted = [...new Set(FOLDERS.map((path) => `components/${path.split('/')[0]}`))];
  const present = git(['ls-tree', '--name-only', revision, 'components/']).stdout.split('\n');
  const paths = wanted.filter((path) => present.includes(path));
  const archive = join(folder, 'headers.tar');
  git(['archive', '--output', archive, revision, '--', ...paths]);
  spawnSync('tar', ['-xf', archive, '-C', folder, '--wildcards', '*.h']);
  const found = FOLDERS.map((path) => join(folder, 'components', path)).filter((path) => existsSync(path));
  return [
    ...['-I', STUBS, '-DESP_PLATFORM', '-D__riscv=1', '-D__riscv_xlen=32', '-DRVHAL_EXCM_LEVEL_CLIC=1'],
    ...found.flatMap((path) => ['-isystem', path]),
  ];
}
