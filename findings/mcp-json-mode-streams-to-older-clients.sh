#!/usr/bin/env bash
# `createMcpHandler(…, { responseMode: 'json' })` of the TypeScript SDK of MCP answers clients of protocol 2026-07-28 with JSON,
# and clients of every earlier protocol with an event stream all the same.
#
# Expected: JSON for all, as the option says.
# Seen: `text/event-stream` for initialize, tools/list and tools/call of a client that negotiates 2025-11-25, which is what
# the SDK's own client does unless it is told otherwise.
#
# It matters to who puts a proxy in front that buffers answers, or bounds their size by Content-Length: an older client waits
# for the proxy, and the answer has no length.
#
# What we do: older clients get their own transport with JSON answers (src/mcp/); a test reads the type of each answer for
# every protocol version.
#
# @modelcontextprotocol/server and client 2.4.0, zod 4.6.7. Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --ignore-scripts --no-audit --no-fund --loglevel=error @modelcontextprotocol/server@2.4.0 \
  @modelcontextprotocol/client@2.4.0 zod@4.6.7 >/dev/null
cat >try.mjs <<'JS'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

const make = () => {
  const server = new McpServer({ name: 'try', version: '1.0.0' });
  server.registerTool('ping', { inputSchema: z.strictObject({}) }, async () => ({ content: [] }));
  return server;
};
const handler = createMcpHandler(make, { responseMode: 'json' });
for (const versionNegotiation of [undefined, { mode: { pin: '2026-07-28' } }]) {
  const fetch = async (url, init) => {
    const answer = await handler.fetch(new Request(url, init));
    const { method } = JSON.parse(init.body ?? '{}');
    if (method === 'tools/call') console.log(versionNegotiation?.mode.pin ?? 'default', answer.headers.get('content-type'));
    return answer;
  };
  const client = new Client({ name: 'try', version: '1.0.0' }, { versionNegotiation });
  await client.connect(new StreamableHTTPClientTransport(new URL('http://localhost/mcp'), { fetch }));
  await client.callTool({ name: 'ping', arguments: {} });
  await client.close();
}
JS
node try.mjs 2>/dev/null | tee seen
grep -qx 'default text/event-stream' seen
grep -qx '2026-07-28 application/json' seen
