import { eventually, type TestApp } from './app.js';
import { fetchAlone } from './own-connection.js';

export interface ParsedDump {
  parseStatus: string;
  parseAttempts: number;
  parsedOutput: string | null;
  firmware: { version: string; elfSha256: string } | null;
  report: { reason: string } | null;
}

export async function dump(app: TestApp, id: string): Promise<ParsedDump | null> {
  const { coredump } = await app.graphql<{ coredump: ParsedDump | null }>(
    `query ($id: ID!) { coredump(id: $id) {
      parseStatus parseAttempts parsedOutput firmware { version elfSha256 } report { reason }
    } }`,
    { id },
  );
  return coredump;
}

export async function ended(app: TestApp, id: string): Promise<ParsedDump> {
  return eventually(async () => {
    const now = await dump(app, id);
    return now?.parseStatus === 'PENDING' ? null : now;
  }, 'the parse ends');
}

/** A gate that a test opens when it is time. */
export function aGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

export async function metric(app: TestApp, line: string): Promise<boolean> {
  return (await (await fetchAlone(`${app.url}/metrics`)).text()).includes(line);
}
