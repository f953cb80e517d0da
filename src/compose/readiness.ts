import * as z from 'zod';
import { reasonOf } from '../errors.js';
import { parseJson } from '../platform/json.js';

/** What `/readyz` of a running server says. */
export interface Readiness {
  readonly isReady: boolean;
  /** For people: `ready`, or what is down. */
  readonly text: string;
}

/** Longer than the server takes for its own checks. */
const TIMEOUT_MS = 5_000;

const answer = z.looseObject({ status: z.string() });

/** Asks a server on this machine, as a load balancer does. It never fails. */
export async function askReadiness({ host, port }: { host: string; port: number }): Promise<Readiness> {
  const url = `http://${reachable(host)}:${port}/readyz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.ok) return { isReady: true, text: 'ready' };
    const parsed = answer.safeParse(parseJson(await response.text()));
    return {
      isReady: false,
      text: parsed.success ? notReady(parsed.data) : `${url} answers ${response.status}`,
    };
  } catch (error) {
    return { isReady: false, text: `${url} does not answer: ${reasonOf(error)}` };
  }
}

function notReady({ status, ...parts }: z.infer<typeof answer>): string {
  if (status === 'stopping') return 'stopping';
  const down = ['database', 'storage'].filter((part) => parts[part] === 'down');
  return `not ready: ${down.join(' and ')} down`;
}

/** The address to connect to, for the address that a server listens on, as it stands in a URL. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
