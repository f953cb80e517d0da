import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface ParseRequest {
  core: string;
  /** Empty without a build. */
  elf: string;
  chip: string;
  /** The bytes that stood in the transfer folder when the request came. */
  coreBytes: Buffer;
  elfBytes: Buffer;
}

/**
 * A parse sidecar that answers as the test says, over real HTTP: another program that speaks the protocol of contract
 * §4, for the misbehaviour that the bundled one does not have.
 */
export async function aSidecar(
  answer: (request: ParseRequest, response: ServerResponse) => void | Promise<void>,
  { readsWithoutBuild = false }: { readsWithoutBuild?: boolean } = {},
) {
  const xferDir = await mkdtemp(join(tmpdir(), 'coredock-xfer-'));
  const requests: ParseRequest[] = [];
  const server = createServer((request, response) => {
    // A server that stops takes its files away, and waits for no answer.
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await rm(xferDir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, xferDir, requests, environment: { PARSE_SIDECAR_URL: url, PARSE_SIDECAR_XFER_DIR: xferDir } };

  async function handle(request: IncomingMessage, response: ServerResponse) {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    if (pathname !== '/parse-coredump') return void response.writeHead(404).end();
    const names = {
      core: searchParams.get('core') ?? '',
      elf: searchParams.get('elf') ?? '',
      chip: searchParams.get('chip') ?? '',
    };
    // As a program that knows no dump without a build.
    if (names.elf === '' && !readsWithoutBuild) return answerJson(response, 400, { error: 'no elf' });
    const parseRequest = {
      ...names,
      coreBytes: await readFile(join(xferDir, names.core)),
      elfBytes: names.elf === '' ? Buffer.alloc(0) : await readFile(join(xferDir, names.elf)),
    };
    requests.push(parseRequest);
    await answer(parseRequest, response);
  }
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
