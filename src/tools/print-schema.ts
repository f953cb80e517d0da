/** `npm run schema:print` writes schema.graphql; with `--check` it fails when the file differs from the code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { printedSchema } from '../graphql/schema/printed-schema.js';

const FILE = 'schema.graphql';
const printed = printedSchema();

if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== printed) {
    process.stderr.write(
      `${FILE} is not the schema of the code: run npm run schema:print and look at what changed\n`,
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, printed);
}
