import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { mailAddress, smtpUrl } from './mail-types.js';
import { trustedPublishers } from './trusted-publishers.js';
import {
  bucketName,
  databaseUrl,
  hostNames,
  httpUrl,
  oneOf,
  origins,
  proxyAddresses,
  publicUrl,
  tokenDigests,
  trueOrFalse,
  wholeNumber,
} from './value-types.js';

const GIB = 1024 ** 3;

/**
 * Every setting: its name in the environment, its type, its default, and what it is for. The upper bounds of numbers
 * only catch typing mistakes. `Config` (settings.ts) is derived from this schema; docs/configuration.md is the user's
 * view of it, and a test compares the two.
 */
export const settings = z.object({
  /** The address to listen on. */
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(4000),
  /** The dashboard's URL for people, with its path behind a proxy; unset if only the listening address is known. */
  PUBLIC_URL: publicUrl().optional(),
  /** Further names and addresses under which clients may address the server. */
  ALLOWED_HOSTS: hostNames().default([]),

  /** Allows the server to be reachable from other machines without authentication. */
  ALLOW_UNAUTHENTICATED: trueOrFalse().default(false),
  OIDC_ISSUER: httpUrl().optional(),
  OIDC_AUDIENCE: z.string().optional(),
  /** Path of the claim that lists the roles; Keycloak's by default. */
  OIDC_ROLES_CLAIM: z.string().default('realm_access.roles'),
  /** The OIDC client for sign-in on the dashboard; unset: the dashboard only accepts tokens. */
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_SCOPE: z.string().default('openid'),
  ADMIN_TOKENS: tokenDigests().default([]),
  /** Of programs that only upload firmware. */
  UPLOADER_TOKENS: tokenDigests().default([]),
  VIEWER_TOKENS: tokenDigests().default([]),
  /** CI jobs that upload firmware by the token that their CI gives them: a JSON file, or its content. */
  TRUSTED_PUBLISHERS: trustedPublishers().default([]),

  DATABASE_URL: databaseUrl().default('file:./data/coredock.db'),
  /**
   * Most connections to PostgreSQL. At least two: a change of firmware holds one for its lock and works with another.
   */
  DATABASE_POOL_SIZE: wholeNumber(2, 1_000).default(10),
  DATABASE_STATEMENT_TIMEOUT_MS: wholeNumber(1_000, 3_600_000).default(30_000),

  /** Folders of dumps and firmware, unless S3_BUCKET names a bucket for both. */
  COREDUMPS_DIR: z.string().default('./data/coredumps'),
  ASSETS_DIR: z.string().default('./data/firmware'),
  S3_BUCKET: bucketName().optional(),
  /** Unset for AWS. */
  S3_ENDPOINT: httpUrl().optional(),
  S3_REGION: z.string().default('us-east-1'),
  /** Both unset: credentials come from AWS's default sources: environment, profile or the machine's role. */
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  /**
   * Use the bucket in the URL's path instead of in the host name. The default depends on S3_ENDPOINT: see settings.ts.
   */
  S3_FORCE_PATH_STYLE: trueOrFalse().optional(),

  /** If either is unset, dumps are stored and stay PENDING. */
  PARSE_SIDECAR_URL: httpUrl().optional(),
  PARSE_SIDECAR_XFER_DIR: z.string().optional(),
  PARSE_CONCURRENCY: wholeNumber(1, 256).default(availableParallelism()),
  PARSE_TIMEOUT_MS: wholeNumber(100, 3_600_000).default(30_000),
  /**
   * Folder of Espressif's ROM ELFs, with the names of functions in the mask ROM. esp-coredump uses the same variable.
   */
  ESP_ROM_ELF_DIR: z.string().optional(),

  /** Most dumps that are kept per device. */
  MAX_COREDUMPS: wholeNumber(1, 1_000_000).default(20),
  MAX_COREDUMP_BYTES: wholeNumber(1, GIB).default(1_048_576),
  /**
   * Devices of one ingest key that wait for approval; each keeps a few dumps. More than a person looks through in a day,
   * and a known share of the disk for whoever has found the key.
   */
  MAX_PENDING_DEVICES: wholeNumber(1, 1_000_000).default(1_000),
  /** Bytes of all dumps together; unset: no limit. */
  MAX_STORAGE_BYTES: wholeNumber(1, 2 ** 50).optional(),
  /** Most builds that are kept per model. */
  MAX_FIRMWARES: wholeNumber(1, 1_000_000).default(20),
  MAX_FIRMWARE_BYTES: wholeNumber(1, GIB).default(67_108_864),

  /**
   * In each period of this length an upload must receive at least 1 KiB, or its rest. A poor GPRS link transfers
   * several.
   */
  UPLOAD_STALL_MS: wholeNumber(100, 3_600_000).default(15_000),
  /** Time limit for a whole body: a MiB at the 2 KB/s of a poor GPRS link. */
  UPLOAD_DEADLINE_MS: wholeNumber(100, 3_600_000).default(600_000),
  /**
   * High enough that hundreds of very slow connections leave capacity for others until they are closed. `npm run bench
   * -- uploadMemoryAtLimit` measures the memory of that many uploads.
   */
  MAX_UPLOADS_IN_FLIGHT: wholeNumber(1, 100_000).default(1_000),
  /**
   * Dumps of one device that are always accepted per minute; a device that crashes at each start sends about a dozen.
   */
  DEVICE_UPLOADS_PER_MINUTE: wholeNumber(1, 1_000_000).default(6),
  /** Further dumps of one device that are accepted per hour: the first dumps of a crash loop are the useful ones. */
  DEVICE_UPLOAD_BURST: wholeNumber(1, 1_000_000).default(120),

  /** Accept the dumps and builds of esp-crash's component and its users' CI: see docs/migrating.md. */
  ESP_CRASH_ROUTES: trueOrFalse().default(false),

  /** Failed authentications per address. A building full of unregistered devices may share one address. */
  AUTH_FAILURES_PER_MINUTE: wholeNumber(1, 1_000_000).default(100),
  /** Proxies whose X-Forwarded-For header is trusted. */
  TRUSTED_PROXIES: proxyAddresses().default([]),
  /** Audit events older than this many days are deleted. */
  AUDIT_DAYS: wholeNumber(1, 100_000).default(365),

  /** GraphiQL's introspection query, the longest and deepest that people send, stays below both. */
  GRAPHQL_MAX_TOKENS: wholeNumber(100, 100_000).default(2_000),
  GRAPHQL_MAX_DEPTH: wholeNumber(1, 100).default(15),
  /** Enough for a query of counts, one per status and model. */
  GRAPHQL_MAX_ALIASES: wholeNumber(0, 1_000).default(30),
  /** Twice the cost of the dumps of 200 devices, 20 each, with six fields; see docs/limits.md. */
  GRAPHQL_MAX_COST: wholeNumber(100, 100_000_000).default(50_000),
  /** Bytes of one answer: enough for the largest text that a sidecar may return. */
  GRAPHQL_MAX_ANSWER_BYTES: wholeNumber(65_536, GIB).default(16_777_216),
  /** Bytes of all answers in progress. Their memory is a multiple of it (`npm run bench -- answers`). */
  GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT: wholeNumber(65_536, 64 * GIB).default(67_108_864),
  /** A client must read a part of its answer in each period of this length; a poor GPRS link reads several KiB. */
  ANSWER_STALL_MS: wholeNumber(100, 3_600_000).default(30_000),
  /** File of the documents that clients may refer to by id. */
  PERSISTED_DOCUMENTS: z.string().optional(),
  /** Execute only those documents. */
  PERSISTED_DOCUMENTS_ONLY: trueOrFalse().default(false),

  MAX_CONNECTIONS: wholeNumber(10, 1_000_000).default(5_000),
  /** Event streams and WebSockets per address; a whole company may share one. */
  MAX_STREAMS_PER_ADDRESS: wholeNumber(1, 1_000_000).default(1_000),
  /** Origins of other web pages that may use this server. */
  CORS_ORIGINS: origins().default([]),
  /** How long a shutdown waits for requests and parses in flight. */
  SHUTDOWN_GRACE_MS: wholeNumber(0, 3_600_000).default(10_000),
  /** Allow alerts to private addresses, such as a chat server at home. */
  ALERTS_ALLOW_PRIVATE: trueOrFalse().default(false),
  /** The mail server of alerts, and the sender of their mails; both or neither. */
  SMTP_URL: smtpUrl().optional(),
  SMTP_FROM: mailAddress().optional(),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** The values of all settings, checked one by one. */
export type Settings = z.infer<typeof settings>;

/** The names of all settings. */
export const SETTING_NAMES: readonly string[] = Object.keys(settings.shape);
