import { useContext, useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { graphql } from '../generated';
import { AuthenticationContext, ForAdmins } from '../session/role';
import { CodeBlock } from './code-block';
import { ADD_COMPONENT, curlLine, firmwareConfig, type Sender } from './command-examples';
import { EmptyState } from './notices';
import { useAction } from './use-action';

interface KnownDevice {
  key: string;
  serial?: string | null;
  hasToken: boolean;
  model: { code: string };
}

const ModelsOfGuide = graphql(`
  query ModelsOfGuide { deviceModels(first: 1) { nodes { id code } } }
`);
const CreateFirstKey = graphql(`
  mutation CreateFirstKey($input: CreateIngestKeyInput!) {
    createIngestKey(input: $input) { key ingestKey { id } }
  }
`);

/** Shown while there is no dump: how to send the first one, to this server as it is set up. */
export function FirstDumpGuide({ device }: { device?: KnownDevice }) {
  const isClosed = useContext(AuthenticationContext);
  const [ingestKey, setIngestKey] = useState<string | null>(null);
  const [{ data }] = useQuery({ query: ModelsOfGuide, pause: device !== undefined });
  const modelCode = device?.model.code ?? data?.deviceModels?.nodes[0]?.code ?? null;
  const setup = { device, modelCode: modelCode ?? 'thermostat', isClosed, ingestKey: ingestKey ?? 'cdk_…' };
  return (
    <EmptyState title="No dump has arrived yet">
      {device === undefined && modelCode === null && (
        <p>
          Create a <Link href="/firmware">model</Link> and upload its firmware’s ELF. A device registers
          itself by its serial when it sends its first core dump.
        </p>
      )}
      {isClosed && device?.hasToken !== true && modelCode !== null && ingestKey === null && (
        <KeyOffer modelCode={modelCode} onMade={setIngestKey} />
      )}
      {ingestKey !== null && (
        <p className="notice" role="status">
          The ingest key is in the lines below. It is shown only now: copy it before you leave this page.
        </p>
      )}
      <p>To send a dump by hand:</p>
      <CodeBlock label="Shell" text={curlLine(senderOf(setup))} />
      <p>
        In the firmware (ESP-IDF 5.0 or later), the component <code>coredock/coredock</code> sends the dump
        from flash after the next boot, and erases it only when this server has it:
      </p>
      <CodeBlock label="Shell, in the project" text={ADD_COMPONENT} />
      <CodeBlock label="sdkconfig.defaults" text={firmwareConfig(configLineOf(setup))} />
      <p>
        A crash that you have at hand, as a file, a log or a text: <Link href="/decode">decode it</Link> in
        this browser.
      </p>
      <p>
        Coredock’s <code>docs/devices.md</code> has the rest: the partition, Arduino and PlatformIO, and
        firmware without the component.
      </p>
    </EmptyState>
  );
}

/** A key that is there already is not known any more: the server keeps its hash only. */
function KeyOffer({ modelCode, onMade }: { modelCode: string; onMade: (key: string) => void }) {
  const { run, isRunning } = useAction(CreateFirstKey);
  async function make() {
    const answer = await run({ input: { modelCode, name: 'First device' } });
    if (answer !== undefined) onMade(answer.createIngestKey.key);
  }
  return (
    <p>
      Devices of <code>{modelCode}</code> register themselves with an{' '}
      <Link href="/enrolment">ingest key</Link>.{' '}
      <ForAdmins>
        <button type="button" className="button" disabled={isRunning} onClick={() => void make()}>
          Make one for these lines
        </button>
      </ForAdmins>
    </p>
  );
}

interface Setup {
  device: KnownDevice | undefined;
  modelCode: string;
  isClosed: boolean;
  ingestKey: string;
}

function senderOf({ device, modelCode, isClosed, ingestKey }: Setup): Sender {
  const serial = device?.serial ?? 'SN-0001';
  if (!isClosed) return device === undefined ? { modelCode, serial } : { key: device.key };
  // A device with a token of its own is refused with the key of its model.
  return device?.hasToken === true ? { token: '…' } : { token: ingestKey, serial };
}

function configLineOf({ device, modelCode, isClosed, ingestKey }: Setup): string {
  if (!isClosed) return `CONFIG_COREDOCK_MODEL="${modelCode}"`;
  return device?.hasToken === true
    ? 'CONFIG_COREDOCK_DEVICE_TOKEN="…"'
    : `CONFIG_COREDOCK_INGEST_KEY="${ingestKey}"`;
}
