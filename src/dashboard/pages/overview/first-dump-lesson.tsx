import { CodeBlock } from '../../parts/code-block';
import { EmptyState } from '../../parts/notices';

/** What an empty server teaches: how the first dump gets here, with this server's own address in every line. */
export function FirstDumpLesson({ deviceKey = 'k3v9x0ab' }: { deviceKey?: string }) {
  const { origin } = window.location;
  return (
    <EmptyState title="No dump has arrived yet">
      <p>
        Register a model and a device, upload the firmware’s ELF, and let the device send its core dump after
        the next boot. By hand it is one line:
      </p>
      <CodeBlock label="Shell" text={curlLine(origin, deviceKey)} />
      <p>
        In the firmware (ESP-IDF 5.0 or later), keep the dump in flash and send it when the network is up:
      </p>
      <CodeBlock label="sdkconfig.defaults" text={SDKCONFIG} />
      <CodeBlock label="C, once after the network is up" text={uploadCall(origin, deviceKey)} />
      <p>
        The README has <code>coredock_upload</code> in full: it sends the dump from its partition and erases
        it only when this server has it.
      </p>
    </EmptyState>
  );
}

function curlLine(origin: string, deviceKey: string): string {
  return `curl -H 'Content-Type: application/octet-stream' --data-binary @coredump.bin \\
  '${origin}/api/iot/coredump?chip=esp32c3&firmware_version=1.2.3&device_key=${deviceKey}'`;
}

const SDKCONFIG = `CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH=y
CONFIG_ESP_COREDUMP_DATA_FORMAT_ELF=y
CONFIG_ESP_COREDUMP_CHECKSUM_SHA256=y`;

function uploadCall(origin: string, deviceKey: string): string {
  return `coredock_upload("${origin}", "${deviceKey}");`;
}
