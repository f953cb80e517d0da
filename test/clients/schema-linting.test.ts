import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import graphqlPlugin from '@graphql-eslint/eslint-plugin';
import { ESLint, type Linter } from 'eslint';
import { buildSchema, type GraphQLObjectType, getNamedType, isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { configs } = graphqlPlugin;
const SCHEMA = buildSchema(readFileSync(`${ROOT}schema.graphql`, 'utf8'));

/** Objects without an id of their own. `strict-id-in-types` wants an `id` in every other type. */
const WITHOUT_ID = [
  'SearchHit',
  'SearchHits',
  'Suggestion',
  // Parts of the report of a dump, which has the id.
  ...[
    'CrashReport',
    'CrashCause',
    'CrashTask',
    'Culprit',
    'DeviceIdentity',
    'DeviceValue',
    'FrameArgument',
    'MemoryRegion',
    'Register',
    'ReportWarning',
    'StackFrame',
  ],
  // Parts of a group, model or alert rule, which has the id.
  ...[
    'AffectedDevice',
    'AlertQuietHours',
    'CrashGroupEvent',
    'CrashNeighbors',
    'CrashVariant',
    'IgnoredUntil',
    'ModelLinks',
    'ModelPrivacy',
    'OwnCodeRegrouping',
    'OwnCodeRule',
  ],
  // Numbers over many things.
  ...['AdoptionBucket', 'Release', 'ReleaseComparison', 'ReleaseHealth'],
  ...['BootSummary', 'ModelAdoptionBucket', 'ModelAdoptionVersion', 'ResetBucket', 'ResetCount'],
  ...['DeviceTimelineDay', 'DeviceTimelineVersion'],
  ...['CrashBucket', 'CrashFreeBucket', 'CrashSeries', 'MissingFirmware', 'Regrouping'],
  // Of one answer: who asks, what was made, what a search finds, where a page ends, what an event tells.
  ...[
    'AwaitedBuild',
    'OwnCodeChange',
    'OwnCodePreview',
    'TagRulePreview',
    'CoredumpHit',
    'CrashEvent',
    'CreatedDevice',
    'PageInfo',
    'RefusedCrashGroup',
    'SearchResult',
    'SnippetPart',
    'Viewer',
  ],
];

/** Lists of what cannot be asked for by an id: a hit of a search, a line of a group's history. */
const NO_NODES = ['AffectedDevice', 'CoredumpHit', 'CrashGroupEvent'];

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
    messages.map(
      ({ line, ruleId, message }) => `${filePath.slice(ROOT.length)}:${line} ${ruleId}: ${message}`,
    ),
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
      '@graphql-eslint/relay-edge-types': [
        'error',
        { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false },
      ],
      // `npm run check` wants more of them.
      '@graphql-eslint/require-description': 'off',
    } satisfies Linter.RulesRecord;

    expect(
      await complaints('schema.graphql', rules, { graphQLConfig: { schema: './schema.graphql' } }),
    ).toEqual([]);
  });

  it('would want what lists have to be nodes: all but three kinds are', () => {
    const types = Object.values(SCHEMA.getTypeMap()).filter(isObjectType);
    const listed = types
      .filter(({ name }) => name.endsWith('Edge'))
      .map((edge) => getNamedType(edge.getFields().node?.type))
      .filter(isObjectType);
    const isNode = (type: GraphQLObjectType) => type.getInterfaces().some(({ name }) => name === 'Node');

    expect(listed.length).toBeGreaterThan(NO_NODES.length);
    expect(listed.filter((type) => !isNode(type) && !NO_NODES.includes(type.name)).map(String)).toEqual([]);
    // Relay takes what is in a field `id` for the name of a record, whatever the type: only nodes may have one.
    const withId = types.filter((type) => 'id' in type.getFields() && !NO_NODES.includes(type.name));
    expect(withId.filter((type) => !isNode(type)).map(String)).toEqual([]);
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
    const rules: Linter.RulesRecord = {
      '@graphql-eslint/naming-convention': ['error', { ObjectTypeDefinition: 'snake_case' }],
    };

    expect(
      await complaints('schema.graphql', rules, {
        graphQLConfig: { schema: './schema.graphql' },
      }),
    ).not.toEqual([]);
  });
});
