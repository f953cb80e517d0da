/** The baseline of the upload benchmark: what any server must do at least. Usage: bare-server DIR */
import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const [, , dir = '.'] = process.argv;

const server = createServer(async (request, response) => {
  const file = await open(join(dir, randomUUID()), 'wx');
  for await (const chunk of request) await file.write(chunk);
  await file.sync();
  await file.close();
  response.writeHead(201).end();
});
server.listen(0, '127.0.0.1', () => {
  process.stderr.write(`listening http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => process.exit(0));
