import * as z from 'zod';
import { parseJson } from '../platform/json.js';
import {
  answeredTemporarily,
  connectionFailure,
  isTemporary,
  isTemporaryCode,
  TemporaryFailure,
} from './temporary-failure.js';

/** What became of an uploaded crash. */
interface ReadCrash {
  parseStatus: 'PENDING' | 'PARSED' | 'ERROR';
  reason: string | null;
  /** "3 crashes on 2 devices". */
  group: { title: string; crashes: string } | null;
  /** Why it was not parsed. */
  sentence: string | null;
}

export type CrashServer = ReturnType<typeof createCrashServer>;

/** A running server, for a person or device that uploads a crash. Its calls throw a TemporaryFailure, or an Error. */
export function createCrashServer({ endpoint, token }: { endpoint: URL; token: string | undefined }) {
  const base = `${endpoint.origin}${endpoint.pathname.replace(/\/graphql$/, '')}`;
  const authorization: Record<string, string> =
    token === undefined ? {} : { Authorization: `Bearer ${token}` };

  return {
    linkTo: (coredumpId: string) => `${base}/dumps/${encodeURIComponent(coredumpId)}`,

    /** False for the token of a device, which may only upload. */
    async isPerson(): Promise<boolean> {
      const { status, json } = await ask('{ viewer { role } }', {});
      return status !== 403 || codeIn(json) !== 'FORBIDDEN';
    },

    async deviceId(key: string): Promise<string> {
      const { device } = await read(
        'query ($key: String!) { device(key: $key) { id } }',
        { key },
        deviceShape,
      );
      if (device === null) throw new Error(`the server has no device "${key}": correct --device`);
      return device.id;
    },

    /** By the mutation, as an admin. @returns the global id of the crash */
    async upload({ name, bytes }: { name: string; bytes: Uint8Array }, input: object): Promise<string> {
      const form = new FormData();
      form.set(
        'operations',
        JSON.stringify({ query: UPLOAD, variables: { input: { ...input, file: null } } }),
      );
      form.set('map', '{"file":["variables.input.file"]}');
      form.set('file', new Blob([new Uint8Array(bytes)]), encodeURIComponent(name));
      const headers = { 'GraphQL-Require-Preflight': '1' };
      const { status, json } = await request(endpoint, { method: 'POST', headers, body: form });
      return dataOf({ status, json }, uploadShape).uploadCrash.coredump.id;
    },

    /** As its device does. @returns the global id of the crash */
    async send(bytes: Uint8Array, query: Record<string, string>): Promise<string> {
      const target = new URL(`${base}/api/iot/coredump?${new URLSearchParams(query)}`);
      const headers = { 'Content-Type': 'application/octet-stream' };
      const body = new Uint8Array(bytes);
      const { status, json } = await request(target, { method: 'POST', headers, body });
      const stored = storedShape.safeParse(json);
      if (status === 201 && stored.success) return stored.data.coredumpId;
      const refusal = refusalShape.safeParse(json);
      throw refusal.success ? new Error(refusal.data.error.message) : noCoredock(status);
    },

    /** Null: it was deleted. */
    async read(id: string): Promise<ReadCrash | null> {
      const { coredump } = await read(CRASH, { id }, crashShape);
      if (coredump === null) return null;
      const { parseStatus, reason, crashGroup, parsedOutput } = coredump;
      return {
        parseStatus,
        reason,
        group:
          crashGroup === null
            ? null
            : { title: crashGroup.title, crashes: crashesOf(crashGroup.count, crashGroup.deviceCount) },
        sentence: parseStatus === 'ERROR' ? (parsedOutput?.split('\n')[0] ?? null) : null,
      };
    },
  };

  async function read<Data>(query: string, variables: object, shape: z.ZodType<Data>): Promise<Data> {
    return dataOf(await ask(query, variables), shape);
  }

  function ask(query: string, variables: object): Promise<Received> {
    const headers = { 'Content-Type': 'application/json' };
    return request(endpoint, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  }

  async function request(
    target: URL,
    { headers, ...init }: RequestInit & { headers: Record<string, string> },
  ): Promise<Received> {
    try {
      const response = await fetch(target, {
        ...init,
        headers: { ...headers, ...authorization },
        signal: AbortSignal.timeout(SILENCE_MS),
      });
      const json = parseJson(await response.text());
      if (isTemporary(response.status)) throw answeredTemporarily(response.status, json);
      if (response.status === 401 && token === undefined)
        throw new Error('the server wants a token: give one by --token or COREDOCK_TOKEN');
      return { status: response.status, json };
    } catch (error) {
      if (error instanceof TypeError || isTimeout(error)) throw connectionFailure(endpoint, error);
      throw error;
    }
  }
}

const SILENCE_MS = 60_000;

interface Received {
  status: number;
  json: unknown;
}

const UPLOAD = `mutation ($input: UploadCrashInput!) {
  uploadCrash(input: $input) { coredump { id } }
}`;
const CRASH = `query ($id: ID!) {
  coredump(id: $id) { parseStatus reason parsedOutput crashGroup { title count deviceCount } }
}`;

const deviceShape = z.object({ device: z.object({ id: z.string() }).nullable() });
const uploadShape = z.object({ uploadCrash: z.object({ coredump: z.object({ id: z.string() }) }) });
const storedShape = z.object({ coredumpId: z.string() });
const refusalShape = z.object({ error: z.object({ message: z.string() }) });
const crashShape = z.object({
  coredump: z
    .object({
      parseStatus: z.enum(['PENDING', 'PARSED', 'ERROR']),
      reason: z.string().nullable(),
      parsedOutput: z.string().nullable(),
      crashGroup: z.object({ title: z.string(), count: z.number(), deviceCount: z.number() }).nullable(),
    })
    .nullable(),
});
const answerShape = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).optional() }),
    )
    .optional(),
});

function codeIn(json: unknown): string | undefined {
  return answerShape.safeParse(json).data?.errors?.[0]?.extensions?.code;
}

function dataOf<Data>({ status, json }: Received, shape: z.ZodType<Data>): Data {
  const answer = answerShape.safeParse(json);
  if (!answer.success) throw noCoredock(status);
  const [error] = answer.data.errors ?? [];
  if (error !== undefined && isTemporaryCode(error.extensions?.code))
    throw new TemporaryFailure(error.message);
  if (error !== undefined) throw new Error(error.message);
  const data = shape.safeParse(answer.data.data);
  if (!data.success) throw noCoredock(status);
  return data.data;
}

function crashesOf(count: number, deviceCount: number): string {
  const crashes = count === 1 ? '1 crash' : `${count} crashes`;
  return `${crashes} on ${deviceCount === 1 ? '1 device' : `${deviceCount} devices`}`;
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

function noCoredock(status: number): Error {
  return new Error(
    `the server answered ${status}, but not as a Coredock server of this version: check --url`,
  );
}
