import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Vite would give our own modules graphql's ES build while Node gives the libraries its CommonJS build, and two
  // copies of graphql do not know each other's types. The built program has one.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    // Real servers, real fsyncs, real child processes: generous limits, and never a timing assertion.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
