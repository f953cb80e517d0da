import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';
import { PROTOCOL_VERSIONS, speaking, withCalls } from '../support/mcp.js';
import { STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram, CLI, NODE, run } from '../support/program.js';

/** The official client, which starts `coredock mcp`. */
async function anAgent(url: string, version: string) {
  const transport = new StdioClientTransport({
    command: NODE,
    args: [CLI, 'mcp', '--url', url],
    stderr: 'ignore',
  });
  const client = new Client({ name: 'test', version: '1' }, speaking(version));
  onTestFinished(() => client.close());
  await client.connect(transport);
  return withCalls(client);
}

describe('coredock mcp', () => {
  it('gives the tools of a running server to agents of every version, to the line of the crash', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'assert');

    for (const version of PROTOCOL_VERSIONS) {
      const agent = await anAgent(program.url, version);
      expect([version, agent.client.getServerVersion()?.name]).toEqual([version, 'coredock']);
      const { groups } = await agent.call('list_crash_groups', { version: '1.0.0' });
      const { newestCrash } = await agent.call('get_crash_group', { groupId: groups[0].groupId });
      const { text } = await agent.raw('get_crash', { crashId: newestCrash.crashId });
      expect(text).toMatch(/packet_append.*network\.c:\d+/);
      const refused = await agent.raw('list_crash_groups', { nothing: 'ü' });
      expect(refused).toMatchObject({ isError: true });
      await agent.client.close();
    }
  });

  it('says in one line why it cannot be used', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const told = async (args: string[], environment: Record<string, string> = {}) => {
      const { code, stderr, stdout } = await run(['mcp', ...args], { environment });
      expect(stdout).toBe('');
      expect(stderr.trim().split('\n')).toHaveLength(1);
      return [code, stderr];
    };

    expect(await told(['--url', 'http://127.0.0.1:9'])).toEqual([
      1,
      expect.stringMatching(/^coredock: http:\/\/127\.0\.0\.1:9 cannot be reached: .*Is the server running/),
    ]);
    expect(await told(['--url', 'nowhere'])).toEqual([2, expect.stringContaining('is not an http://')]);
    expect(await told(['--url', program.url])).toEqual([1, expect.stringContaining('COREDOCK_TOKEN')]);
    expect(await told(['--url', program.url], { COREDOCK_TOKEN: 'x'.repeat(43) })).toEqual([
      1,
      expect.stringContaining('The token is not valid.'),
    ]);
    // The input has ended at once.
    expect(await told(['--url', program.url], { COREDOCK_TOKEN: VIEWER })).toEqual([
      0,
      expect.stringContaining('connected to'),
    ]);
  });
});
