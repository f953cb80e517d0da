import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { memoryFolder } from './test/support/memory-folder.js';

/** Functions and readers: nothing but this process, and at most a folder. */
const UNIT = [
  'test/{config,crashdump,device-list,devices,documents,platform}/**/*.test.ts',
  'test/package/reader.test.ts',
];
/** In a real browser: the page, served by the built program, also behind real proxies, and the reader. */
const DASHBOARD = ['test/{dashboard,proxies}/**/*.test.ts', 'test/package/*-in-browser.test.ts'];
/** Tests that start other processes: the built program, a sidecar, a tool. */
const PROGRAM = [
  'test/{ci,device,faults,packaging,sidecar,system,tools}/**/*.test.ts',
  'test/clients/restart.test.ts',
  'test/package/{init,installed,notices}.test.ts',
  'test/platform/{lock-file,publish-thread,s3-blobs}.test.ts',
];
/** Tests that measure the memory of the process that runs them, which must have had nothing to do before. */
const MEMORY = [
  'test/firmware/hostile-bundles.test.ts',
  'test/graphql/{document-limits,stream-limits}.test.ts',
];

/** Tests that meet the database through `test/support/`: they run with each of the two. */
const WITH_DATABASE = [
  'test/{alerts,auth,changes,coredumps,crash-groups,firmware,graphql,http,storage}/**/*.test.ts',
  'test/postgresql/**/*.test.ts',
  'test/clients/operations.test.ts',
];

/** Of these the ones that are about what comes before any database, or after it: sockets, tokens, texts, answers. */
const WITHOUT_DATABASE = [
  'test/alerts/{formats,outbound-http}.test.ts',
  'test/auth/{attempt-limiter,ci-jobs,issuer}.test.ts',
  'test/coredumps/{full-transfer-folder,markdown}.test.ts',
  'test/graphql/{answer-budget,error-fields,failing-roots,graphiql-tour,multipart-bombs,persisted-documents}.test.ts',
  'test/graphql/{query-cost,refusal-types,request-parser}.test.ts',
  'test/http/{allowed-hosts,bunzip,clock-jumps,cross-site,http-abuse,mcp,slow-readers,upload-limits}.test.ts',
];

/** The longest tests, longest first: what is begun last must be short, or one core has nothing to do at the end. */
const LONGEST = [
  'faults/campaign',
  'device/campaign',
  'graphql/answer-budget',
  'graphql/stream-limits',
  'system/abuse',
  'system/interrupted',
  'system/stop-at-start',
  'auth/matrix',
  'graphql/query-thread',
  'system/full-disk',
  'system/backup',
  'platform/s3-blobs',
  'dashboard/accessibility',
  'graphql/differential',
  'storage/identity',
];

/** The longest files first; of the others those of one project together, because they share its processes. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return place === -1 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** Each kind has its limit: what hangs fails soon, what waits for disks and processes has its time. */
const seconds = (limit: number) => ({ testTimeout: limit * 1000, hookTimeout: limit * 1000 });

/** Where `os.tmpdir()` is for tests of services and pages; `unit` and `program` keep files on a disk. */
const inMemory = { env: { TMPDIR: memoryFolder() } };

const unit: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: 'unit', include: UNIT, exclude: PROGRAM, ...seconds(20) },
};

const sqlite: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'sqlite',
    include: ['test/**/*.test.ts'],
    exclude: [...UNIT, ...DASHBOARD, ...PROGRAM, ...MEMORY, 'test/postgresql/**'],
    globalSetup: 'test/support/sqlite.ts',
    ...inMemory,
    ...seconds(120),
  },
};

const postgresql: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'postgresql',
    include: WITH_DATABASE,
    exclude: [...MEMORY, ...WITHOUT_DATABASE],
    globalSetup: 'test/support/postgresql.ts',
    setupFiles: 'test/support/skip-without-postgresql.ts',
    ...inMemory,
    ...seconds(120),
  },
};

const memory: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: 'memory', include: MEMORY, isolate: true, ...seconds(120) },
};

const program: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: 'program', include: PROGRAM, ...seconds(120) },
};

const dashboard: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'dashboard',
    include: DASHBOARD,
    globalSetup: 'test/support/chromium.ts',
    ...inMemory,
    ...seconds(120),
  },
};

export default defineConfig({
  // Vite would give our own modules graphql's ES build while Node gives the libraries its CommonJS build, and two
  // copies of graphql do not know each other's types. The built program has one.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    // Files share their processes, and what these have imported: no test leaves anything behind in a module.
    isolate: false,
    // What comes at once on a quiet machine takes its time on one where everything else runs as well.
    expect: { poll: { timeout: 30_000 } },
    // A test also waits, for a disk, a process, a deadline, so more at once than CI has cores. Not many more: each has
    // processes of its own, and what a person or a device would wait for must not take a minute.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [unit, sqlite, postgresql, memory, program, dashboard],
  },
});
