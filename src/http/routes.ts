import type { IncomingMessage, ServerResponse } from 'node:http';
import { notFound } from '../errors.js';
import type { createBootRoute } from './boot.js';
import type { createCrashRoute } from './crash.js';
import type { createPageRoute } from './dashboard-assets.js';
import type { createPageConfigRoute } from './dashboard-config.js';
import type { createCoreElfRoute, createDownloadRoute } from './download.js';
import type { ErrorForm } from './errors.js';
import type { createEspCrashDumpRoute } from './esp-crash-dump.js';
import type { createEspCrashElfRoute } from './esp-crash-elf.js';
import type { Exchange, StreamedExchange } from './exchange.js';
import { type createExportRoute, EXPORTED_LISTS } from './export.js';
import { EXPORT_FORMATS } from './export-formats.js';
import type { createFirmwareDownloadRoute } from './firmware-download.js';
import type { createGraphiqlRoute } from './graphiql-assets.js';
import type { createHealthRoutes } from './health.js';
import type { createMcpRoute } from './mcp.js';
import type { createSchemaRoute } from './schema-document.js';
import { GRAPHIQL_POLICY, NOTHING_POLICY } from './security-headers.js';
import type { createSessionRoute } from './session.js';
import type { createSharedCrashRoute } from './shared-crash.js';
import type { createUploadRoute } from './upload.js';

/**
 * One line of the table of routes. The dispatcher uses it before a handler is called: for 404 and 405 with `Allow`,
 * `Expect: 100-continue`, requests of other sites, slow bodies, requests during a stop, and the form of a refusal.
 */
export type Route = {
  /**
   * ":name" matches any one segment, decoded and passed to the handler; "*" matches every path without another route.
   */
  path: string;
  /** Other methods are answered with 405. 'any': the handler decides. */
  methods: readonly Method[] | 'any';
  /**
   * Who may call the route when authentication is on. The handlers check it, because they know the credentials (tokens,
   * signed links) and count failures: viewers, and in places uploaders. `devices`, `uploaders`: the dispatcher refuses web
   * pages of other sites.
   */
  access: 'anyone' | 'viewers' | 'devices' | 'uploaders';
  /** The form of a refusal. */
  errors: ErrorForm;
  /** `Content-Security-Policy` of the answers, unless the handler sets a better one. */
  contentPolicy: string;
  /** Load balancers must see the stop; a sender that erases its dump at a lost answer must get one. */
  isAnsweredDuringStop: boolean;
} & BodyPolicy;

export type BodyPolicy =
  /** The dispatcher sends "100 Continue" at once, and closes the connection when the body arrives too slowly. */
  | { body: 'watched'; handle: Handler<Exchange> }
  /** The handler checks the head first, sends "100 Continue" and has its own time limits. */
  | { body: 'streamed'; handle: Handler<StreamedExchange> };

export type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE';

/** A stop waits for a returned promise. A thrown error is answered with its status. */
type Handler<E extends Exchange> = (exchange: E, parameters: readonly string[]) => unknown;

export interface Handlers {
  boot: ReturnType<typeof createBootRoute>;
  upload: ReturnType<typeof createUploadRoute>;
  crash: ReturnType<typeof createCrashRoute>;
  espCrashDump: ReturnType<typeof createEspCrashDumpRoute>;
  espCrashElf: ReturnType<typeof createEspCrashElfRoute>;
  sharedCrash: ReturnType<typeof createSharedCrashRoute>;
  download: ReturnType<typeof createDownloadRoute>;
  coreElf: ReturnType<typeof createCoreElfRoute>;
  exportList: ReturnType<typeof createExportRoute>;
  firmwareDownload: ReturnType<typeof createFirmwareDownloadRoute>;
  health: ReturnType<typeof createHealthRoutes>;
  page: ReturnType<typeof createPageRoute>;
  pageConfig: ReturnType<typeof createPageConfigRoute>;
  session: ReturnType<typeof createSessionRoute>;
  graphiql: ReturnType<typeof createGraphiqlRoute>;
  schemaDocument: ReturnType<typeof createSchemaRoute>;
  mcp: ReturnType<typeof createMcpRoute>;
  graphql: (request: IncomingMessage, response: ServerResponse, requestId: string) => Promise<void>;
}

const READ = ['GET', 'HEAD'] as const;

const REST = { errors: 'rest', contentPolicy: NOTHING_POLICY, isAnsweredDuringStop: false } as const;

/** All routes of the server. */
export function createRoutes({
  boot,
  upload,
  crash,
  espCrashDump,
  espCrashElf,
  sharedCrash,
  download,
  coreElf,
  exportList,
  firmwareDownload,
  health,
  page,
  pageConfig,
  session,
  graphiql,
  schemaDocument,
  mcp,
  graphql,
}: Handlers): Route[] {
  return [
    {
      ...REST,
      path: '/api/iot/coredump',
      methods: ['POST'],
      access: 'devices',
      body: 'streamed',
      handle: (exchange) => upload(exchange),
    },
    {
      ...REST,
      path: '/dump',
      methods: ['POST'],
      // The component sends its URL as Origin, which is another one than Host behind some proxies.
      access: 'anyone',
      errors: 'kept dump',
      isAnsweredDuringStop: true,
      body: 'streamed',
      handle: (exchange) => espCrashDump(exchange),
    },
    {
      ...REST,
      path: '/upload_elf',
      methods: ['POST'],
      access: 'uploaders',
      errors: 'text',
      body: 'streamed',
      handle: (exchange) => espCrashElf(exchange),
    },
    {
      ...REST,
      path: '/api/iot/crash',
      methods: ['POST'],
      access: 'devices',
      body: 'streamed',
      handle: (exchange) => crash(exchange),
    },
    {
      ...REST,
      path: '/api/iot/boot',
      methods: ['POST'],
      access: 'devices',
      body: 'streamed',
      handle: (exchange) => boot(exchange),
    },
    {
      ...REST,
      path: '/api/shared',
      methods: ['GET'],
      // Who has the token of a share link; the handler knows them.
      access: 'anyone',
      body: 'watched',
      handle: (exchange) => sharedCrash(exchange),
    },
    {
      ...REST,
      path: '/api/coredumps/:id/download',
      methods: READ,
      access: 'viewers',
      body: 'watched',
      handle: (exchange, [id = '']) => download(exchange, { id }),
    },
    {
      ...REST,
      path: '/api/coredumps/:id/core.elf',
      methods: READ,
      access: 'viewers',
      body: 'watched',
      handle: (exchange, [id = '']) => coreElf(exchange, { id }),
    },
    {
      ...REST,
      path: '/api/devices/:device/coredumps/:id/download',
      methods: READ,
      access: 'viewers',
      body: 'watched',
      handle: (exchange, [device = '', id = '']) => download(exchange, { device, id }),
    },
    ...EXPORTED_LISTS.flatMap((list) =>
      EXPORT_FORMATS.map(
        (format): Route => ({
          ...REST,
          path: `/api/${list}.${format}`,
          methods: READ,
          access: 'viewers',
          body: 'watched',
          handle: (exchange) => exportList(exchange, list, format),
        }),
      ),
    ),
    {
      ...REST,
      path: '/api/firmwares/:id/firmware.elf',
      methods: READ,
      access: 'viewers',
      body: 'watched',
      handle: (exchange, [id = '']) => firmwareDownload(exchange, id),
    },
    {
      ...REST,
      path: '/api/config',
      methods: READ,
      access: 'anyone',
      body: 'watched',
      handle: (exchange) => pageConfig(exchange),
    },
    {
      ...REST,
      path: '/api/session',
      methods: ['GET', 'HEAD', 'POST', 'DELETE'],
      // It is where people sign in; without a session or token it answers 401 itself.
      access: 'anyone',
      body: 'watched',
      handle: (exchange) => session(exchange),
    },
    {
      path: '/graphql',
      methods: ['GET', 'POST'],
      access: 'viewers',
      errors: 'graphql',
      contentPolicy: GRAPHIQL_POLICY,
      isAnsweredDuringStop: false,
      body: 'watched',
      handle: ({ request, response, requestId }) => graphql(request, response, requestId),
    },
    {
      ...REST,
      path: '/graphiql/:file',
      methods: READ,
      access: 'anyone',
      body: 'watched',
      handle: (exchange, [file = '']) => graphiql(exchange, file),
    },
    {
      ...REST,
      path: '/schema.graphql',
      methods: READ,
      access: 'viewers',
      body: 'watched',
      handle: (exchange) => schemaDocument(exchange),
    },
    {
      ...REST,
      path: '/mcp',
      methods: ['POST'],
      access: 'viewers',
      body: 'watched',
      handle: (exchange) => mcp(exchange),
    },
    {
      ...REST,
      path: '/healthz',
      methods: READ,
      access: 'anyone',
      isAnsweredDuringStop: true,
      body: 'watched',
      handle: ({ response }) => health.healthz(response),
    },
    {
      ...REST,
      path: '/readyz',
      methods: READ,
      access: 'anyone',
      isAnsweredDuringStop: true,
      body: 'watched',
      handle: ({ response }) => health.readyz(response),
    },
    {
      ...REST,
      path: '/metrics',
      methods: READ,
      access: 'viewers',
      isAnsweredDuringStop: true,
      body: 'watched',
      handle: (exchange) => health.metrics(exchange),
    },
    {
      ...REST,
      path: '*',
      methods: 'any',
      access: 'anyone',
      body: 'watched',
      handle({ request, response, path }) {
        const isRead = request.method === 'GET' || request.method === 'HEAD';
        if (!isRead || !page(request, response, path)) throw notFound('page', path.slice(0, 200));
      },
    },
  ];
}
