import { createInterface } from 'node:readline';
import { messageOf } from '../errors.js';
import { parseJson } from '../platform/json.js';
import { givenToken } from './bearer-token.js';
import { endpointOf } from './upload-firmware.js';

export interface McpOptions {
  url: string;
  token?: string;
}

interface Streams {
  stdin: NodeJS.ReadableStream;
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/** A message of JSON-RPC, as far as it matters on the way. */
interface Message {
  id?: unknown;
  method?: unknown;
  params?: Record<string, unknown>;
}

/** What a client sends is short; this ends one that sends anything else. */
const MAX_LINE = 1024 * 1024;
const PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';
/** The code of JSON-RPC for an error inside of the server. */
const INTERNAL_ERROR = -32_603;

/**
 * `coredock mcp`: the tools of a running server for agents that start a program and speak with it by its standard input
 * and output, one message a line. Each message goes to `/mcp` of the server, and its answer back: the server alone knows
 * the protocol. Standard error has what people may want to know.
 *
 * @returns the exit code, once the input has ended: 0, or 1 when the server cannot be used, or 2 for a wrong option
 */
export async function mcpCommand(
  options: McpOptions,
  { stdin, stdout, stderr }: Streams,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<0 | 1 | 2> {
  const complain = (problem: string) => void stderr.write(`coredock: ${problem}\n`);
  const endpoint = endpointOf(options.url);
  if (endpoint === null) {
    complain(`--url "${options.url}" is not an http:// or https:// URL`);
    return 2;
  }
  endpoint.pathname = endpoint.pathname.replace(/graphql$/, 'mcp');
  let token: string | undefined;
  try {
    token = givenToken(options.token, environment);
    await probe(endpoint, token);
  } catch (error) {
    complain(messageOf(error));
    return 1;
  }
  complain(`connected to ${endpoint.origin}`);
  /** The handshake of older versions names the version; later messages do not repeat it. */
  let negotiated: string | undefined;
  const running = new Map<unknown, AbortController>();
  const works = new Set<Promise<void>>();

  for await (const line of createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const message = line.length > MAX_LINE ? undefined : parseJson(line);
    if (message === undefined) {
      write({ jsonrpc: '2.0', id: null, error: { code: -32_700, message: 'The line is not valid JSON.' } });
      continue;
    }
    if (isCancellation(message)) running.get(message.params?.requestId)?.abort();
    const work = forward(message as Message).finally(() => works.delete(work));
    works.add(work);
    // Messages after the handshake need its version.
    if ((message as Message).method === 'initialize') await work;
  }
  for (const controller of running.values()) controller.abort();
  await Promise.all(works);
  return 0;

  function write(message: unknown): void {
    stdout.write(`${JSON.stringify(message)}\n`);
  }

  async function forward(message: Message): Promise<void> {
    const controller = new AbortController();
    if (message.id !== undefined) running.set(message.id, controller);
    try {
      const answer = await send(endpoint as URL, token, message, { negotiated, signal: controller.signal });
      if (answer === null) return;
      if (message.method === 'initialize') negotiated = versionIn(answer) ?? negotiated;
      write(answer);
    } catch (error) {
      // A client that has cancelled a request expects no answer.
      if (controller.signal.aborted) return;
      complain(messageOf(error));
      if (message.id === undefined) return;
      write({
        jsonrpc: '2.0',
        id: message.id,
        error: { code: INTERNAL_ERROR, message: messageOf(error) },
      });
    } finally {
      running.delete(message.id);
    }
  }
}

/** One request, so that a wrong address or token is told before an agent waits for tools. @throws Error */
async function probe(endpoint: URL, token: string | undefined): Promise<void> {
  const clientInfo = { name: 'coredock', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const message = { jsonrpc: '2.0', id: 'probe', method: 'initialize', params };
  const answer = await send(endpoint, token, message, {});
  if (versionIn(answer) === undefined) throw new Error(notCoredock(endpoint));
}

/** @returns null where nothing is to be answered. @throws Error with one sentence */
async function send(
  endpoint: URL,
  token: string | undefined,
  message: Message,
  { negotiated, signal = null }: { negotiated?: string | undefined; signal?: AbortSignal | null },
): Promise<unknown> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...headersOf(message, negotiated),
    },
    body: JSON.stringify(message),
    redirect: 'manual',
    signal,
  }).catch((error: unknown) => {
    throw new Error(unreachable(endpoint, error));
  });
  const text = await response.text();
  if (response.status === 202 || (response.ok && text === '')) return null;
  const json = parseJson(text) as { error?: { message?: unknown }; jsonrpc?: unknown } | undefined;
  // Refusals of the protocol are answers, whatever their status.
  if (json?.jsonrpc === '2.0' || Array.isArray(json)) return json;
  const said = typeof json?.error?.message === 'string' ? json.error.message : null;
  if (response.status === 401)
    throw new Error(
      `${said ?? 'the server refuses the token'} Give a viewer's token by --token or COREDOCK_TOKEN.`,
    );
  if (said !== null) throw new Error(said);
  throw new Error(notCoredock(endpoint));
}

/** What the protocol wants in headers beside the message, so that proxies need not read it. */
function headersOf({ method, params }: Message, negotiated: string | undefined): Record<string, string> {
  const meta = params?._meta as Record<string, unknown> | undefined;
  const modern = meta?.[PROTOCOL_VERSION];
  if (typeof modern !== 'string') {
    return negotiated === undefined || method === 'initialize' ? {} : { 'MCP-Protocol-Version': negotiated };
  }
  const name = params?.name ?? params?.uri;
  return {
    'MCP-Protocol-Version': modern,
    ...(typeof method === 'string' ? { 'Mcp-Method': method } : {}),
    ...(typeof name === 'string' ? { 'Mcp-Name': inHeader(name) } : {}),
  };
}

/** Other characters than those of a header are sent in base64, as SEP-2243 says. */
function inHeader(text: string): string {
  if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?')) return text;
  return `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

function versionIn(answer: unknown): string | undefined {
  const { result } = (answer ?? {}) as { result?: { protocolVersion?: unknown } };
  return typeof result?.protocolVersion === 'string' ? result.protocolVersion : undefined;
}

function isCancellation(message: unknown): message is Message {
  return (message as Message).method === 'notifications/cancelled';
}

function unreachable(endpoint: URL, error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const why =
    cause instanceof Error ? cause.message || ('code' in cause ? String(cause.code) : '') : messageOf(error);
  return `${endpoint.origin} cannot be reached: ${why}. Is the server running, and --url right?`;
}

function notCoredock({ origin, pathname }: URL): string {
  return `${origin}${pathname} does not answer as a Coredock server with tools for agents: check --url, and the server's version`;
}
