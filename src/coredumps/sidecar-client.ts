import * as z from 'zod';
import type { CrashReport } from '../crashdump/index.js';
import { reasonOf } from '../errors.js';
import { parseJson } from '../platform/json.js';
import { readReport } from './report-schema.js';

/** See docs/sidecar-protocol.md. `failed` may be retried; `unreadable` means that the dump itself is at fault. */
export type SidecarAnswer =
  | { status: 'parsed'; output: string; report: CrashReport | null }
  | { status: 'unreadable'; reason: string }
  /** A text that only looks like a crash. What it says is there all the same, if the sidecar has sent it. */
  | { status: 'no crash'; reason: string; output: string | null; report: CrashReport | null }
  /** `isAnswered`: the sidecar refused, rather than being busy or not there. */
  | { status: 'failed'; reason: string; isAnswered: boolean };

export interface SidecarClient {
  /**
   * `core` and `elf` are file names in the transfer folder; without a build `elf` is null. Rejects only with the reason
   * of `signal`.
   */
  parse(
    request: { core: string; elf: string | null; chip: string },
    signal: AbortSignal,
  ): Promise<SidecarAnswer>;
  /** Whether the sidecar's address answers at all. */
  isUp(): Promise<boolean>;
}

/** Far more than a report with the text of every task of a large dump needs. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_REASON_LENGTH = 2_000;
const UP_TIMEOUT_MS = 2_000;
/** Status of a sidecar that cannot take a request now. */
const BUSY = 503;

const parsedBody = z.object({ output: z.string(), report: z.unknown().optional() });
const errorBody = z.object({
  error: z.string(),
  code: z.literal('NO_CRASH').optional().catch(undefined),
  output: z.string().nullable().default(null),
  report: z.unknown().optional(),
});

export function createSidecarClient({
  url,
  timeoutMs,
}: {
  url: () => string;
  timeoutMs: number;
}): SidecarClient {
  return {
    async parse({ core, elf, chip }, signal) {
      const target = new URL('parse-coredump', withSlash(url()));
      target.search = new URLSearchParams({ core, ...(elf === null ? {} : { elf }), chip }).toString();
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const response = await fetch(target, {
          // Redirects are refused: they lead to a server that was not configured.
          redirect: 'manual',
          signal: AbortSignal.any([signal, timeout]),
        });
        return interpret(response.status, await readBounded(response));
      } catch (error) {
        signal.throwIfAborted();
        if (timeout.aborted) return notAnswered(`the sidecar did not answer within ${timeoutMs} ms`);
        return notAnswered(reasonOf(error));
      }
    },
    async isUp() {
      try {
        const signal = AbortSignal.timeout(UP_TIMEOUT_MS);
        // Any answer counts: the protocol has no health route that every sidecar must offer.
        const response = await fetch(new URL('healthz', withSlash(url())), { redirect: 'manual', signal });
        await response.body?.cancel();
        return true;
      } catch {
        return false;
      }
    },
  };
}

function interpret(status: number, body: string): SidecarAnswer {
  const json = parseJson(body);
  if (status === 200) {
    const parsed = parsedBody.safeParse(json);
    if (!parsed.success) return failed('the sidecar answered 200 without {"output": "…"}');
    return { status: 'parsed', output: parsed.data.output, report: readReport(parsed.data.report) };
  }
  const error = errorBody.safeParse(json);
  if (status === 422 && error.success) {
    const { code, output, report } = error.data;
    const reason = capped(error.data.error);
    if (code === undefined) return { status: 'unreadable', reason };
    return { status: 'no crash', reason, output, report: readReport(report) };
  }
  const reason = `the sidecar answered ${status}${error.success ? `: ${error.data.error}` : ''}`;
  return status === BUSY ? notAnswered(reason) : failed(reason);
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let chunk = await reader?.read(); chunk?.value !== undefined; chunk = await reader?.read()) {
    size += chunk.value.byteLength;
    if (size > MAX_ANSWER_BYTES) {
      // Also closes the connection.
      await reader?.cancel();
      throw new Error(`the sidecar's answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk.value);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function failed(reason: string): SidecarAnswer {
  return { status: 'failed', reason: capped(reason), isAnswered: true };
}

function notAnswered(reason: string): SidecarAnswer {
  return { status: 'failed', reason: capped(reason), isAnswered: false };
}

function capped(text: string): string {
  return text.length <= MAX_REASON_LENGTH ? text : `${text.slice(0, MAX_REASON_LENGTH)}…`;
}

function withSlash(base: string): string {
  return base.endsWith('/') ? base : `${base}/`;
}
