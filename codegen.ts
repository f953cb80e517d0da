import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed operations: `graphql('query …')` knows the answer's type. `npm run codegen` writes them. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  ignoreNoDocuments: true,
  generates: {
    'test/generated/': typedDocuments('test'),
    'src/dashboard/generated/': typedDocuments('src/dashboard'),
  },
};

export default config;

function typedDocuments(room: string): CodegenConfig['generates'][string] {
  return {
    documents: [
      `${room}/**/*.{ts,tsx}`,
      `!${room}/generated/**`,
      ...(room === 'test' ? ['!test/clients/**'] : ['!test/**']),
    ],
    preset: 'client',
    presetConfig: { fragmentMasking: false },
    config: {
      useTypeImports: true,
      enumsAsTypes: true,
      emitLegacyCommonJSImports: false,
      scalars: { DateTime: 'string', Upload: 'File', ID: 'string' },
    },
  };
}
