/**
 * `npm run check` runs it: every part of the GraphQL schema has a description, and nothing breaks the clients of the
 * last release. `npm run schema:release` writes the schema of a release.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { breakingChanges, deprecationsWithoutDate, undescribedPlaces } from './schema-rules.js';

const CURRENT = 'schema.graphql';
const RELEASED = 'src/tools/released-schema.graphql';

if (process.argv.includes('--release')) {
  writeFileSync(RELEASED, readFileSync(CURRENT));
} else {
  const [current, released] = [CURRENT, RELEASED].map((file) => buildSchema(readFileSync(file, 'utf8')));
  if (current === undefined || released === undefined) throw new Error('there are two schemas to compare');
  const today = new Date().toISOString().slice(0, 10);
  report('without a description', undescribedPlaces(current));
  report('deprecated without "To be removed after YYYY-MM-DD."', deprecationsWithoutDate(current));
  report(
    'breaking for clients of the last release (docs/api.md, "Versions")',
    await breakingChanges(released, current, today),
  );
}

function report(what: string, places: readonly string[]): void {
  if (places.length === 0) return;
  process.stderr.write(
    `${CURRENT}: ${places.length} ${what}:\n${places.map((place) => `  ${place}\n`).join('')}`,
  );
  process.exitCode = 1;
}
