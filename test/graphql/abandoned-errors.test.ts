import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const MODULE = new URL('../../src/graphql/server/abandoned-errors.ts', import.meta.url).href;
/** Its first item fails later, its second at once; nothing of the first is asked for any more then. */
const EXECUTION = `
  import { buildSchema, execute, parse } from 'graphql';
  const { ignoreAbandonedErrors } = await import(process.argv[1]);
  if (process.argv[2] === 'forget') ignoreAbandonedErrors();
  const later = { name: () => new Promise((_, reject) => setImmediate(() => reject(new Error('later')))) };
  const atOnce = { name: () => { throw new Error('at once'); } };
  const schema = buildSchema('type Query { items: [Item!]! } type Item { name: String! }');
  const rootValue = { items: [later, atOnce] };
  const { errors } = await execute({ schema, document: parse('{ items { name } }'), rootValue });
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (process.argv[2] === 'other') Promise.reject(new Error('a bug'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(errors[0].message);
`;

it.each([
  ['forget', 0],
  // As graphql and Node do it: when this ends with 0 the guard can go.
  ['leave', 1],
] as const)('of an answer that was given do not end the process (%s them: exit code %i)', (what, code) => {
  const { status, stdout } = run(what);

  expect(status).toBe(code);
  if (code === 0) expect(stdout).toBe('at once\n');
});

function run(what: string) {
  const args = ['--import', 'tsx', '--input-type=module', '-e', EXECUTION, MODULE, what];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}
