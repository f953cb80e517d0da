import graphqlPlugin from '@graphql-eslint/eslint-plugin';
import { ESLint, type Linter } from 'eslint';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { configs } = graphqlPlugin;

/**
 * Objects without an id of their own: parts of the thing that has one, numbers about many things, or what exists only in
 * one answer. `strict-id-in-types` wants an `id` in every other type.
 */
const WITHOUT_ID: string[] = [];

/** What @graphql-eslint complains of. */
async function complaints(
  files: string,
  rules: Linter.RulesRecord,
  parserOptions: Linter.ParserOptions,
): Promise<string[]> {
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ['**/*.graphql'],
        languageOptions: { parser: graphqlPlugin.parser, parserOptions },
        plugins: { '@graphql-eslint': graphqlPlugin as ESLint.Plugin },
        rules,
      },
    ],
  });
  const results = await eslint.lintFiles([files]);
  expect(results.length).toBeGreaterThan(0);
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ line, ruleId, message }) => `${filePath.slice(ROOT.length)}:${line} ${ruleId}: ${message}`),
  );
}

describe('@graphql-eslint', () => {
  it('has nothing against the schema, by its recommended rules and those of Relay', async () => {
    const rules = {
      ...(configs['flat/schema-recommended'].rules as Linter.RulesRecord),
      ...(configs['flat/schema-relay'].rules as Linter.RulesRecord),
      '@graphql-eslint/strict-id-in-types': [
        'error',
        { exceptions: { types: WITHOUT_ID, suffixes: ['Payload', 'Connection', 'Edge'] } },
      ],
      // Lists that never have more than some entries, such as the frames of a stack, are no connections.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
    } satisfies Linter.RulesRecord;

    expect(await complaints('schema.graphql', rules, { graphQLConfig: { schema: './schema.graphql' } })).toEqual([]);
  });

  it('has nothing against the operations of a dashboard, by its recommended rules', async () => {
    const rules = configs['flat/operations-recommended'].rules as Linter.RulesRecord;
    const documents = './test/clients/operations/*.graphql';

    expect(
      await complaints('test/clients/operations/*.graphql', rules, {
        graphQLConfig: { schema: './schema.graphql', documents },
      }),
    ).toEqual([]);
  });

  it('would complain: of a name that its rules forbid', async () => {
    const rules = { '@graphql-eslint/naming-convention': ['error', { ObjectTypeDefinition: 'snake_case' }] };

    expect(
      await complaints('schema.graphql', rules as Linter.RulesRecord, {
        graphQLConfig: { schema: './schema.graphql' },
      }),
    ).not.toEqual([]);
  });
});
