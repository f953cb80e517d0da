#!/usr/bin/env bash
# The TypeScript SDK of MCP treats the two schemas of a tool differently: what an input schema (`z.object`) does not name is
# dropped before the tool runs, without an error; what an output schema does not name is sent to the client.
#
# Expected: the same for both, and an error for an argument that the tool does not have. A client that validates does not
# notice it either, because the published `inputSchema` allows further properties.
# Seen: the misspelt argument `verison` vanishes, so a filter is not applied and the answer looks right; the field `extra`
# of a result arrives.
#
# What we do: `z.strictObject` for every tool's arguments, so a misspelt one is an error that names it (a test calls each tool
# with one), and results are made of named fields only (src/mcp/).
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

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'try', version: '1.0.0' });
  server.registerTool(
    'crashes',
    { inputSchema: z.object({ version: z.string().optional() }), outputSchema: z.object({ asked: z.string() }) },
    async (given) => ({ content: [], structuredContent: { asked: JSON.stringify(given), extra: 'kept' } }),
  );
  return server;
});
const client = new Client({ name: 'try', version: '1.0.0' });
const fetch = (url, init) => handler.fetch(new Request(url, init));
await client.connect(new StreamableHTTPClientTransport(new URL('http://localhost/mcp'), { fetch }));
const { isError, structuredContent } = await client.callTool({ name: 'crashes', arguments: { verison: '1.4' } });
console.log(JSON.stringify({ isError, structuredContent }));
await client.close();
JS
node try.mjs | tee seen
grep -qxF '{"structuredContent":{"asked":"{}","extra":"kept"}}' seen
