import {
  Client,
  StreamableHTTPClientTransport,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/client';
import { onTestFinished } from 'vitest';
import { bearer } from './app.js';

/** The version that needs no handshake; the client lists it apart from the others. */
const MODERN = '2026-07-28';

/** Every version of the protocol that the official client speaks. */
export const PROTOCOL_VERSIONS = [...SUPPORTED_PROTOCOL_VERSIONS, MODERN];

export type Agent = Awaited<ReturnType<typeof anAgent>>;

/** How a client is made to speak one version and no other. */
export function speaking(version: string) {
  return version === MODERN
    ? { versionNegotiation: { mode: { pin: version } } }
    : { supportedProtocolVersions: [version] };
}

/** The official client, connected. */
export async function anAgent(
  url: string,
  { version = MODERN, token }: { version?: string; token?: string } = {},
) {
  const client = new Client({ name: 'test', version: '1' }, speaking(version));
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: bearer(token) },
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return withCalls(client);
}

/** @returns the client with the ways in which tests call tools */
export function withCalls(client: Client) {
  const raw = async (name: string, args: Record<string, unknown> = {}) => {
    const { content, isError = false, structuredContent } = await client.callTool({ name, arguments: args });
    const [part] = content;
    if (part?.type !== 'text') throw new Error('the answer is no text');
    return { text: part.text, isError, structured: structuredContent as Record<string, unknown> | undefined };
  };
  return {
    client,
    raw,
    /** The structure of an answer that is no error. */
    // biome-ignore lint/suspicious/noExplicitAny: what a tool answers differs, and each test looks at a part of it.
    async call(name: string, args: Record<string, unknown> = {}): Promise<any> {
      const { text, isError, structured } = await raw(name, args);
      if (isError || structured === undefined) throw new Error(text);
      return structured;
    },
  };
}
