/** Commands and code to copy, with this server's own address in them. */
import { SERVER_URL } from '../base-path';

export function curlLine(device: { key: string } | { token: string }): string {
  const url = `${SERVER_URL}/api/iot/coredump?chip=esp32c3&firmware_version=1.2.3`;
  const isByToken = 'token' in device;
  return [
    `curl -H 'Content-Type: application/octet-stream' --data-binary @coredump.bin \\`,
    ...(isByToken ? [`  -H 'Authorization: Bearer ${device.token}' \\`] : []),
    `  '${url}${isByToken ? '' : `&device_key=${device.key}`}'`,
  ].join('\n');
}

export const SDKCONFIG = `CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH=y
CONFIG_ESP_COREDUMP_DATA_FORMAT_ELF=y
CONFIG_ESP_COREDUMP_CHECKSUM_SHA256=y`;

export function uploadCall(deviceKey: string): string {
  return `coredock_upload("${SERVER_URL}", "${deviceKey}");`;
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

/** The upload of a build by CI. */
export function firmwareCurlLine(modelCode: string): string {
  const query = `mutation($f: Upload!) { uploadFirmware(input: { modelCode: \\"${modelCode}\\", bundle: $f }) { firmware { version elfSha256 } } }`;
  return [
    `curl ${SERVER_URL}/graphql \\`,
    `  -F 'operations={"query":"${query}","variables":{"f":null}}' \\`,
    `  -F 'map={"0":["variables.f"]}' -F 0=@build/${modelCode}.elf`,
  ].join('\n');
}

/** The same by the program, with a token of an uploader. */
export const UPLOAD_COMMAND = [
  'export COREDOCK_TOKEN=…',
  'npx coredock firmware upload build/thermostat.elf \\',
  `  --model thermostat --url ${SERVER_URL}`,
].join('\n');
