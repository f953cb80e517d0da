/**
 * The peer of the dashboard benchmark: PostGraphile with its Amber preset over the tables as they are.
 * Usage: postgraphile-server.mjs FOLDER, where FOLDER has PostGraphile installed; the database is in DATABASE_URL.
 */

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [, , folder = '.'] = process.argv;
const fromFolder = createRequire(join(folder, 'package.json'));
const { postgraphile } = fromFolder('postgraphile');
const { PostGraphileAmberPreset } = fromFolder('postgraphile/presets/amber');
const { makePgService } = fromFolder('postgraphile/adaptors/pg');
const { grafserv } = fromFolder('postgraphile/grafserv/node');

const peer = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ['public'] })],
  grafserv: { graphqlPath: '/graphql', watch: false },
  grafast: { explain: false },
});
const server = createServer();
await peer.createServ(grafserv).addTo(server);
server.listen(0, '127.0.0.1', () => {
  process.stderr.write(`listening http://127.0.0.1:${server.address().port}\n`);
});
process.on('SIGTERM', () => process.exit(0));
