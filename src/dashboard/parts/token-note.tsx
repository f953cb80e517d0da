import { CodeBlock } from './code-block';
import { curlLine } from './command-examples';

/** A device's token, which the server shows only once and stores only as a hash. */
export function TokenNote({ deviceKey, token }: { deviceKey: string; token: string }) {
  return (
    <div className="dialog-body">
      <p>
        This is the token of <code>{deviceKey}</code>. It is shown only now: put it into the device, which
        sends it with every dump.
      </p>
      <CodeBlock label="Token" text={token} />
      <CodeBlock label="Shell" text={curlLine({ token })} />
    </div>
  );
}
