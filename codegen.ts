import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed operations for the tests: `graphql('query …')` knows the answer's type. `npm run codegen` writes them. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['test/**/*.ts', '!test/generated/**'],
  ignoreNoDocuments: true,
  generates: {
    'test/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        emitLegacyCommonJSImports: false,
        scalars: { DateTime: 'string', Upload: 'File', ID: 'string' },
      },
    },
  },
};

export default config;
