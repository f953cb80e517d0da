/** The folders of the program and which of them may import which. Data moves left to right, imports right to left. */
const rooms = {
  crashdump: '^src/crashdump/',
  platform: '^src/platform/',
  services: '^src/(alerts|audit|auth|backup|changes|coredumps|crash-groups|devices|exports|firmware|installation|releases|saved-views|search|sessions)/',
  transports: '^src/(graphql|http|mcp)/',
  sidecar: '^src/sidecar/',
  dashboard: '^src/dashboard/',
  decodeWorker: '^src/dashboard/decode-worker/',
  deviceList: '^src/device-list/',
  wiring: '^src/(cli\\.ts$|coredock\\.cts$|compose/|demo/)',
};

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle has no first file to read.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-circular-folders',
      comment: 'Nor has a circle of rooms.',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
    {
      name: 'crashdump-stands-alone',
      comment: 'The reader may one day be a package of its own.',
      severity: 'error',
      from: { path: rooms.crashdump },
      to: { path: '^src/', pathNot: rooms.crashdump },
    },
    {
      name: 'crashdump-by-its-index',
      comment: 'Others use the reader through its index, types included.',
      severity: 'error',
      from: { path: '^src/', pathNot: rooms.crashdump },
      to: { path: rooms.crashdump, pathNot: '^src/crashdump/index\\.ts$' },
    },
    {
      name: 'platform-knows-no-service',
      severity: 'error',
      from: { path: rooms.platform },
      to: { path: [rooms.services, rooms.transports, rooms.sidecar, rooms.wiring] },
    },
    {
      name: 'services-know-no-transport',
      comment: 'Services know no HTTP and no GraphQL.',
      severity: 'error',
      from: { path: rooms.services },
      to: { path: [rooms.transports, rooms.sidecar, rooms.wiring, 'node_modules/(graphql|@pothos)'] },
    },
    {
      name: 'transports-do-not-meet',
      comment: 'Only compose knows both; what they share is in platform/http.',
      severity: 'error',
      from: { path: '^src/graphql/' },
      to: { path: '^src/http/' },
    },
    {
      name: 'tools-of-agents-know-the-api-only',
      comment: 'They read by documents of GraphQL, as any client does.',
      severity: 'error',
      from: { path: '^src/mcp/' },
      to: { path: ['^src/(graphql|http)/', rooms.services] },
    },
    {
      name: 'limits-below-the-schema',
      comment: 'Limits know graphql, neither the types of the schema nor a transport.',
      severity: 'error',
      from: { path: '^src/graphql/limits/' },
      to: { path: '^src/graphql/(schema|server)/' },
    },
    {
      name: 'schema-knows-no-transport',
      severity: 'error',
      from: { path: '^src/graphql/schema/' },
      to: { path: '^src/graphql/server/' },
    },
    {
      name: 'transports-do-not-meet-the-other-way',
      severity: 'error',
      from: { path: '^src/http/' },
      to: { path: '^src/graphql/' },
    },
    {
      name: 'graphql-reads-through-services',
      comment:
        'Resolvers have services and loaders, not the database. Only what makes the loaders and the query thread opens ' +
        'it; all may know errors, the schedule of batches, and the types of pages.',
      severity: 'error',
      from: { path: '^src/graphql/', pathNot: '^src/graphql/(schema/loaders|server/query-(worker|port))\\.ts$' },
      to: {
        path: '^src/platform/database/',
        pathNot: '^src/platform/database/(errors|data-loader|children|ordered-window)\\.ts$',
      },
    },
    {
      name: 'the-page-stands-alone',
      comment:
        'It runs in browsers and knows the server by its GraphQL schema only. It shares with the command line what reads ' +
        'lists of devices.',
      severity: 'error',
      from: { path: rooms.dashboard, pathNot: rooms.decodeWorker },
      to: { path: '^src/', pathNot: [rooms.dashboard, rooms.deviceList] },
    },
    {
      name: 'the-worker-has-the-reader',
      comment: 'The worker that decodes crashes in the browser: the reader, and the types of the page’s messages.',
      severity: 'error',
      from: { path: rooms.decodeWorker },
      to: {
        path: '^src/',
        pathNot: [
          rooms.decodeWorker,
          '^src/crashdump/index\\.ts$',
          '^src/dashboard/pages/decode/reader-messages\\.ts$',
          '^src/dashboard/generated/',
        ],
      },
    },
    {
      name: 'the-page-asks-the-worker',
      comment: 'By messages alone: the reader is in no file that the page loads itself.',
      severity: 'error',
      from: { path: '^src/', pathNot: rooms.decodeWorker },
      to: { path: rooms.decodeWorker },
    },
    {
      name: 'device-list-stands-alone',
      comment: 'The page and the command line use it: it runs in browsers too.',
      severity: 'error',
      from: { path: rooms.deviceList },
      to: { path: ['^src/', 'node:'], pathNot: rooms.deviceList },
    },
    {
      name: 'the-server-knows-no-page',
      severity: 'error',
      from: { path: '^src/', pathNot: rooms.dashboard },
      to: { path: rooms.dashboard },
    },
    {
      name: 'pages-by-parts',
      comment: 'What several pages share lies below them, in parts, api and shell.',
      severity: 'error',
      from: { path: '^src/dashboard/(api|parts|shell)/' },
      to: { path: '^src/dashboard/pages/' },
    },
    {
      name: 'only-wiring-wires',
      severity: 'error',
      from: { path: '^src/', pathNot: [rooms.wiring, '^src/tools/'] },
      to: { path: rooms.wiring },
    },
    {
      name: 'only-platform-names-a-vendor',
      severity: 'error',
      from: { path: '^src/', pathNot: [rooms.platform, '^src/tools/'] },
      to: { path: 'node_modules/(@aws-sdk/|@photostructure|@prisma/|pg/|pino|prom-client|p-queue)' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/(platform/database|dashboard)/generated/' },
  },
};
