import { useContext } from 'react';
import { Link } from 'wouter';
import { AuthenticationContext } from '../session/role';
import { CodeBlock } from './code-block';
import { curlLine, firmwareConfig, type Sender } from './command-examples';
import { EmptyState } from './notices';

interface KnownDevice {
  key: string;
  serial?: string | null;
  hasToken: boolean;
  model: { code: string };
}

/** Shown while there is no dump: how to send the first one, to this server as it is set up. */
export function FirstDumpGuide({ device }: { device?: KnownDevice }) {
  const isClosed = useContext(AuthenticationContext);
  return (
    <EmptyState title="No dump has arrived yet">
      {device === undefined && (
        <p>
          Create a <Link href="/firmware">model</Link> and upload its firmware’s ELF
          {isClosed && (
            <>
              , and make an <Link href="/enrolment">ingest key</Link> for it
            </>
          )}
          . A device registers itself by its serial when it sends its first core dump.
        </p>
      )}
      <p>To send a dump by hand:</p>
      <CodeBlock label="Shell" text={curlLine(senderOf(device, isClosed))} />
      <p>
        In the firmware (ESP-IDF 5.0 or later), the component <code>coredock/coredock</code> sends the dump
        from flash after the next boot, and erases it only when this server has it:
      </p>
      <CodeBlock label="sdkconfig.defaults" text={firmwareConfig(configLineOf(device, isClosed))} />
      <p>
        Coredock’s <code>docs/devices.md</code> has the rest: the partition, Arduino and PlatformIO, and
        firmware without the component.
      </p>
    </EmptyState>
  );
}

function senderOf(device: KnownDevice | undefined, isClosed: boolean): Sender {
  const serial = device?.serial ?? 'SN-0001';
  if (!isClosed) return device === undefined ? { modelCode: 'thermostat', serial } : { key: device.key };
  // A device with a token of its own is refused with the key of its model.
  return device?.hasToken === true ? { token: '…' } : { token: 'cdk_…', serial };
}

function configLineOf(device: KnownDevice | undefined, isClosed: boolean): string {
  if (!isClosed) return `CONFIG_COREDOCK_MODEL="${device?.model.code ?? 'thermostat'}"`;
  return device?.hasToken === true
    ? 'CONFIG_COREDOCK_DEVICE_TOKEN="…"'
    : 'CONFIG_COREDOCK_INGEST_KEY="cdk_…"';
}
