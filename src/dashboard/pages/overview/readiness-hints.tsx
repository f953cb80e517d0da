import { useEffect, useState } from 'react';
import { useConnectionState } from '../../api/live';
import { withBase } from '../../base-path';

interface Readiness {
  status: 'ok' | 'down' | 'stopping';
  database: 'ok' | 'down';
  storage: 'ok' | 'down';
  sidecar: 'ok' | 'down';
  storageLost: string[];
}

const ASK_EVERY_MS = 30_000;

const HINTS = {
  database: 'The database does not answer: uploads are refused with 503, and devices keep their dumps.',
  storage: 'The storage cannot be written: uploads are refused with 503, and devices keep their dumps.',
  sidecar:
    'No parser responds: new dumps are stored and stay pending. “coredock start” includes one; with “coredock serve”, ' +
    'set PARSE_SIDECAR_URL and PARSE_SIDECAR_XFER_DIR.',
} as const;

const LOST = {
  firmware:
    'ELFs of firmware are missing from the storage: upload the same builds again, or restore the files.',
  coredump:
    'Files of core dumps are missing from the storage: their reports stay; restore the files from a backup.',
} as const;

/** The server's failed checks and their meaning; nothing while all succeed. */
export function ReadinessHints() {
  const readiness = useReadiness();
  if (readiness === null) return null;
  const parts = ['database', 'storage', 'sidecar'] as const;
  return (
    <>
      {parts
        .filter((part) => readiness[part] === 'down')
        .map((part) => (
          <p key={part} className="notice" data-tone={part === 'sidecar' ? 'warn' : 'danger'} role="status">
            {HINTS[part]}
          </p>
        ))}
      {readiness.storageLost.map((kind) => (
        <p key={kind} className="notice" data-tone="danger" role="status">
          {LOST[kind === 'firmware' ? 'firmware' : 'coredump']}
        </p>
      ))}
    </>
  );
}

function useReadiness(): Readiness | null {
  const [readiness, setReadiness] = useState<Readiness | null>(null);
  const connection = useConnectionState();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new connection may be one to another server
  useEffect(() => {
    const controller = new AbortController();
    async function ask() {
      const answer = await readReadiness(controller.signal).catch(() => null);
      if (!controller.signal.aborted) setReadiness(answer);
    }
    void ask();
    const timer = window.setInterval(() => void ask(), ASK_EVERY_MS);
    return () => {
      controller.abort();
      window.clearInterval(timer);
    };
  }, [connection]);
  return readiness;
}

async function readReadiness(signal: AbortSignal): Promise<Readiness> {
  const response = await fetch(withBase('/readyz'), { signal });
  return (await response.json()) as Readiness;
}
