/** Commands and code to copy, with this server's own address in them. */
import { version } from '../../../package.json';
import { SERVER_URL } from '../base-path';

/** How a device says who it is: with authentication by a bearer token, without by its key, or by model and serial. */
export type Sender =
  | { token: string; serial?: string }
  | { key: string }
  | { modelCode: string; serial: string };

/** The upload of a dump by hand. */
export function curlLine(sender: Sender): string {
  const query = new URLSearchParams({ chip: 'esp32c3', firmware_version: '1.2.3' });
  if ('key' in sender) query.set('device_key', sender.key);
  if ('modelCode' in sender) query.set('model', sender.modelCode);
  if ('serial' in sender && sender.serial !== undefined) query.set('device_serial', sender.serial);
  return [
    `curl -H 'Content-Type: application/octet-stream' --data-binary @coredump.bin \\`,
    ...('token' in sender ? [`  -H 'Authorization: Bearer ${sender.token}' \\`] : []),
    `  '${SERVER_URL}/api/iot/coredump?${query}'`,
  ].join('\n');
}

/** What the firmware needs, with the component of Coredock in it. @param sender a line of `sdkconfig` */
export function firmwareConfig(sender: string): string {
  return `CONFIG_COREDOCK_URL="${SERVER_URL}"
${sender}
CONFIG_COREDOCK_AUTO_START=y

CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH=y
CONFIG_ESP_COREDUMP_DATA_FORMAT_ELF=y
CONFIG_ESP_COREDUMP_CHECKSUM_SHA256=y`;
}

/** The two lines of `sdkconfig` with which a whole product reports to this server. */
export function sdkconfigLines(ingestKey: string): string {
  return `CONFIG_COREDOCK_URL="${SERVER_URL}"\nCONFIG_COREDOCK_INGEST_KEY="${ingestKey}"`;
}

/** A boot report of a device that does not exist: the shortest way to see one appear. */
export function bootCurlLine(sender: { ingestKey: string } | { modelCode: string }): string {
  const isByKey = 'ingestKey' in sender;
  const query = new URLSearchParams({
    ...(isByKey ? {} : { model: sender.modelCode }),
    device_serial: 'TEST-1',
    firmware_version: '1.0.0',
  });
  return [
    'curl -X POST \\',
    ...(isByKey ? [`  -H 'Authorization: Bearer ${sender.ingestKey}' \\`] : []),
    `  '${SERVER_URL}/api/iot/boot?${query}'`,
  ].join('\n');
}

/** The upload of a build by CI. @param isClosed the server has authentication, so CI needs an uploader's token */
export function uploadCommand(modelCode: string, isClosed: boolean): string {
  return [
    ...(isClosed ? ['export COREDOCK_TOKEN=… # of an uploader'] : []),
    `npx coredock firmware upload build/${modelCode}.elf \\`,
    `  --model ${modelCode} --url ${SERVER_URL}`,
  ].join('\n');
}

/** Adds the component of this release to an ESP-IDF project. */
export const ADD_COMPONENT = `idf.py add-dependency "coredock/coredock^${version}"`;
