import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { findExcess } from '../../src/graphql/query-size.js';
import { schema } from '../../src/graphql/schema.js';
import { createRandom } from '../fuzz/mutate.js';
import { randomDocument } from '../fuzz/random-document.js';
import { anOracle, type Question } from '../support/oracle.js';

/** `npm run fuzz -- graphql` asks more of them, or others; these are the same every time. */
const RUNS = Number(process.env.GRAPHQL_RUNS ?? 150);
const SEED = Number(process.env.GRAPHQL_SEED ?? 1);
const ONLY = process.env.GRAPHQL_ONLY;
const FIRST = Number(ONLY ?? 0);
const LAST = ONLY === undefined ? RUNS - 1 : FIRST;
const TIMES = 5;
const SHOWN = 3;

it(
  'answers any valid query as graphql-js does, however often, by whom and with what it is asked',
  { timeout: 120_000 + RUNS * 1_000 },
  async () => {
    const oracle = await anOracle();
    const findings: string[] = [];
    let compared = 0;

    for (let run = FIRST; run <= LAST; run++) {
      const random = createRandom(Math.imul(SEED, 0x9e3779b1) ^ Math.imul(run, 0x85ebca6b));
      const { query, askings } = randomDocument(schema, 'query', oracle.values, random);
      const questions = askings.map((asking) => ({ query, ...asking, token: pick(oracle.people, random) }));
      if (questions.some(isTooMuch)) continue;
      const expected = await Promise.all(questions.map(oracle.executed));
      for (let time = 1; time <= TIMES; time++) {
        // All at once: what is kept for one must not be given to another.
        const answers = await Promise.all(questions.map((question) => oracle.ask(question, random)));
        compared += answers.length;
        const wrong = answers.findIndex((answer, index) => answer !== expected[index]);
        if (wrong === -1) continue;
        findings.push(
          `run ${run} of seed ${SEED}, asked for the ${time}. time: ${JSON.stringify(questions[wrong])}\n` +
            `  graphql-js: ${expected[wrong]}\n  the server: ${answers[wrong]}`,
        );
        break;
      }
    }

    expect(`${findings.length} findings\n${findings.slice(0, SHOWN).join('\n')}`).toBe('0 findings\n');
    expect(compared).toBeGreaterThan(0);
    if (process.env.GRAPHQL_RUNS !== undefined) process.stdout.write(`${compared} answers compared\n`);
  },
);

/** Those that the door refuses are another test's. */
function isTooMuch({ query, variables }: Question): boolean {
  const limits = { ...readConfig({}).queryLimits, maxDepth: 30, maxCost: 100_000_000 };
  return findExcess({ schema, document: parse(query), variables, limits }) !== null;
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}
