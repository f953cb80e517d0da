import { Link } from 'wouter';
import { CodeBlock } from './code-block';
import { curlLine, SDKCONFIG, uploadCall } from './command-examples';
import { EmptyState } from './notices';

/** Shown while there is no dump: how to send the first one. */
export function FirstDumpGuide({ deviceKey }: { deviceKey?: string }) {
  const key = deviceKey ?? 'k3v9x0ab';
  return (
    <EmptyState title="No dump has arrived yet">
      {deviceKey === undefined && (
        <p>
          Create a <Link href="/firmware">model</Link> and upload its firmware’s ELF, register a{' '}
          <Link href="/devices">device</Link>, and let it send its core dump after the next boot.
        </p>
      )}
      <p>To send a dump by hand:</p>
      <CodeBlock label="Shell" text={curlLine({ key })} />
      <p>
        In the firmware (ESP-IDF 5.0 or later), keep the dump in flash and send it when the network is up:
      </p>
      <CodeBlock label="sdkconfig.defaults" text={SDKCONFIG} />
      <CodeBlock label="C, once after the network is up" text={uploadCall(key)} />
      <p>
        Coredock’s <code>docs/devices.md</code> has the source of <code>coredock_upload</code>: it sends the
        dump from its partition and erases it only when this server has it.
      </p>
    </EmptyState>
  );
}
