import {
  GraphQLError,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  getOperationAST,
  parse,
} from 'graphql';
import { expect, it } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import { excessOfDocument } from '../../src/graphql/limits/document-size.js';
import { costOf } from '../../src/graphql/limits/query-cost.js';
import { schema } from '../../src/graphql/schema/schema.js';
import { createRandom } from '../fuzz/mutate.js';
import { randomDocument } from '../fuzz/random-document.js';
import { eventually } from '../support/app.js';
import { agree, anOracle, normal, type Question } from '../support/oracle.js';

/** `npm run fuzz -- graphql` asks more of them, or others; these are the same every time. */
const RUNS = Number(process.env.GRAPHQL_RUNS ?? 60);
const SEED = Number(process.env.GRAPHQL_SEED ?? 1);
const ONLY = process.env.GRAPHQL_ONLY;
const FIRST = Number(ONLY ?? 0);
const LAST = ONLY === undefined ? RUNS - 1 : FIRST;
const TIMES = 5;
const SHOWN = 3;
/** One for ten queries. */
const SUBSCRIPTIONS = Math.ceil(RUNS / 10);

it('answers any valid query as graphql-js does, however often, by whom and with what it is asked', {
  timeout: 120_000 + RUNS * 1_000,
}, async () => {
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
      const wrong = answers.findIndex((answer, index) => !agree(answer, expected[index] ?? ''));
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
});

it('answers any subscription as graphql-js does, whoever else is told of the same event', {
  timeout: 120_000 + RUNS * 1_000,
}, async () => {
  const oracle = await anOracle();
  const { endpoint } = oracle;
  const { id } = await endpoint.db.coredump.findFirstOrThrow({ where: { parseStatus: 'PARSED' } });
  const dump = await endpoint.coredumps.get(id);
  if (dump === null) throw new Error('the dump was there a moment ago');
  const findings: string[] = [];

  for (let run = FIRST; run <= (ONLY === undefined ? FIRST + SUBSCRIPTIONS : FIRST); run++) {
    const random = createRandom(Math.imul(SEED, 0x2545f491) ^ Math.imul(run, 0x85ebca6b));
    const { query, askings } = randomDocument(DUMPS_ONLY, 'subscription', oracle.values, random);
    // Each of them by everybody, so that there is somebody to get another's answer.
    const questions = askings.flatMap((asking) =>
      oracle.people.map((token) => ({ query, ...asking, token })),
    );
    if (questions.some(isTooMuch) || questions.some(isOverAtOnce)) continue;
    const event = { ...dump, parseGeneration: run + 1 };
    const expected = await Promise.all(questions.map((question) => oracle.executedOn(event, question)));
    const streams = questions.map(oracle.follow);
    const answers = streams.map((stream) => stream.next());
    await eventually(async () => endpoint.events.subscriberCount() === questions.length, 'all listen');
    endpoint.events.publish(event);
    for (const [index, answer] of answers.entries()) {
      const got = normal((await answer).value as object);
      if (agree(got, expected[index] ?? '')) continue;
      findings.push(
        `run ${run} of seed ${SEED}: ${JSON.stringify(questions[index])}\n` +
          `  graphql-js: ${expected[index]}\n  the server: ${got}`,
      );
    }
    await Promise.all(streams.map((stream) => stream.return?.()));
    await eventually(async () => endpoint.events.subscriberCount() === 0, 'all have left');
  }

  expect(`${findings.length} findings\n${findings.slice(0, SHOWN).join('\n')}`).toBe('0 findings\n');
});

/** Dumps as they change, whichever: not the state that comes first, nor a filter. */
const DUMPS_ONLY = new GraphQLSchema({
  ...schema.toConfig(),
  types: schema.toConfig().types.filter(({ name }) => name !== 'Subscription'),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      parseStatus: { type: schema.getSubscriptionType()?.getFields().parseStatus?.type ?? GraphQLString },
    },
  }),
});

/** Those that the endpoint refuses are another test's. */
function isTooMuch({ query, variables, operationName }: Question): boolean {
  const document = parse(query);
  const limits = { ...readConfig({}).queryLimits, maxDepth: 30 };
  if (excessOfDocument(document, variables, limits) !== null) return true;
  const operation = getOperationAST(document, operationName);
  // Without one there is nothing to run.
  if (operation == null) return false;
  try {
    return costOf({ schema, document, operation, variables }) > 100_000_000;
  } catch (error) {
    // Wrong variables cost nothing.
    if (error instanceof GraphQLError) return false;
    throw error;
  }
}

/** An `if` that is null is an error before the first event. */
function isOverAtOnce({ variables }: Question): boolean {
  return Object.values(variables).includes(null);
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}
