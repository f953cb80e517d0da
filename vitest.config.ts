import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real servers, real fsyncs, real child processes: generous limits, and never a timing assertion.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
