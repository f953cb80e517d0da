import { defineConfig } from 'vitest/config';

/** Tests that meet the database through `test/support/`: they run with each of the two. */
const WITH_DATABASE = [
  'test/{alerts,auth,coredumps,crash-groups,firmware,graphql,http,storage}/**/*.test.ts',
  'test/postgresql/**/*.test.ts',
];

/** Of these the ones that are about what comes before any database: sockets, headers, tokens, texts, archives. */
const WITHOUT_DATABASE = [
  'test/alerts/{formats,outbound-http}.test.ts',
  'test/auth/{attempt-limiter,issuer}.test.ts',
  'test/coredumps/full-transfer-folder.test.ts',
  'test/firmware/hostile-bundles.test.ts',
  'test/graphql/{document-limits,multipart-bombs,persisted-documents,request-parser,stream-limits}.test.ts',
  'test/http/{allowed-hosts,clock-jumps,cross-site,http-abuse,slow-readers,upload-limits}.test.ts',
];

export default defineConfig({
  // Vite would give our own modules graphql's ES build while Node gives the libraries its CommonJS build, and two
  // copies of graphql do not know each other's types. The built program has one.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    // Real servers, real fsyncs, real child processes: generous limits, and never a timing assertion.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What comes at once on a quiet machine takes its time on one where everything else runs as well.
    expect: { poll: { timeout: 30_000 } },
    // Most of the time a test waits: for a disk, a process, a deadline. More at once than there are cores.
    maxWorkers: 4,
    projects: [
      {
        extends: true,
        test: { name: 'sqlite', include: ['test/**/*.test.ts'], exclude: ['test/postgresql/**'] },
      },
      {
        extends: true,
        test: {
          name: 'postgresql',
          include: WITH_DATABASE,
          exclude: WITHOUT_DATABASE,
          globalSetup: 'test/support/postgresql.ts',
          setupFiles: 'test/support/skip-without-postgresql.ts',
        },
      },
    ],
  },
});
