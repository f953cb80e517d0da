import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * A mock of the address at which GitHub's runner gives tokens to its job (ACTIONS_ID_TOKEN_REQUEST_URL). The tokens are of
 * whoever `sign` asks: in the tests a real OpenID Connect provider.
 *
 * @param failures statuses of the first answers
 */
export async function aJobTokenEndpoint(
  sign: (audience: string) => Promise<string>,
  { failures = [] as number[] } = {},
) {
  const audiences: string[] = [];
  const server = createServer(async (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://runner');
    const isOfJob = request.headers.authorization === 'Bearer request-token';
    const failure = failures.shift();
    if (!isOfJob || searchParams.get('api-version') !== '2.0' || failure !== undefined) {
      response.writeHead(failure ?? 401).end('{}');
      return;
    }
    const audience = searchParams.get('audience') ?? 'https://github.com/acme';
    audiences.push(audience);
    response
      .setHeader('Content-Type', 'application/json')
      .end(JSON.stringify({ value: await sign(audience) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    /** What jobs were given tokens for. */
    audiences,
    /** What the runner puts into the environment of a job with `permissions: id-token: write`. */
    environment: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/idtoken/run/job?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
    },
  };
}
