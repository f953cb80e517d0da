import { availableParallelism } from 'node:os';
import { z } from 'zod';
import type { AuthSettings } from '../auth/authenticator.js';
import type { S3Settings } from '../platform/blobs/s3/s3-settings.js';
import { isHostName } from '../platform/http/allowed-hosts.js';
import { isProxyAddress } from '../platform/http/client-address.js';
import type { LogLevel } from '../platform/logger.js';

/**
 * The settings of the program, read once from the environment (and `.env`) into one frozen object. README's table is
 * the user's view of this file; a test keeps the two alike.
 */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** How people reach the page, without a slash at its end; null where only the listening address is known. */
  readonly publicUrl: string | null;
  /** Names and addresses, besides the server's own, that requests may be for. */
  readonly allowedHosts: readonly string[];
  /** Whom to believe; nobody in it means that authentication is off. */
  readonly auth: AuthSettings;
  /** As what the web page signs people in at the issuer; null when it only takes tokens. */
  readonly pageClient: { readonly issuer: string; readonly clientId: string; readonly scope: string } | null;
  readonly databaseUrl: string;
  /** Connections to PostgreSQL at most. */
  readonly databasePoolSize: number;
  readonly databaseStatementTimeoutMs: number;
  readonly coredumpsDir: string;
  readonly assetsDir: string;
  /** The bucket that dumps and firmware live in; null when they are files in the two folders. */
  readonly s3: S3Settings | null;
  /** Null when either of its two settings is missing: dumps are stored and stay PENDING. */
  readonly parser: { readonly url: string; readonly xferDir: string } | null;
  readonly parseConcurrency: number;
  readonly parseTimeoutMs: number;
  /** Folder of Espressif's ROM ELFs, which name functions of the chips' mask ROM; null when there is none. */
  readonly romElfDir: string | null;
  readonly maxCoredumps: number;
  readonly maxCoredumpBytes: number;
  /** Bytes of dumps that are kept in all; null: no limit. */
  readonly maxStorageBytes: number | null;
  readonly maxFirmwares: number;
  readonly maxFirmwareBytes: number;
  /** A body must bring at least 1 KiB, or its rest, in each period of this length. */
  readonly uploadStallMs: number;
  /** A body must have come as a whole after this time. */
  readonly uploadDeadlineMs: number;
  readonly maxUploadsInFlight: number;
  /** Dumps of a device that are always taken in each minute. */
  readonly deviceUploadsPerMinute: number;
  /** Dumps of a device beyond those that are taken in each hour. */
  readonly deviceUploadBurst: number;
  /** Unknown devices and credentials that an address may try in a minute. */
  readonly authFailuresPerMinute: number;
  /** Addresses and ranges of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Days after which audit events are forgotten. */
  readonly auditDays: number;
  /** What a GraphQL query may ask for at most. */
  readonly queryLimits: {
    readonly maxTokens: number;
    readonly maxDepth: number;
    readonly maxAliases: number;
    readonly maxCost: number;
  };
  /** Bytes of one answer of GraphQL, and of all that are being made or sent. */
  readonly answerLimits: { readonly maxAnswerBytes: number; readonly maxBytesInFlight: number };
  /** A reader must take some of an answer in each period of this length. */
  readonly answerStallMs: number;
  /** File of the documents that clients may name by their ids, and whether these are all that is run. */
  readonly persistedDocuments: { readonly path: string; readonly isOnly: boolean } | null;
  readonly maxConnections: number;
  /** Event streams and WebSockets that an address may have open. */
  readonly maxStreamsPerAddress: number;
  /** Origins of web pages elsewhere that may use this server. */
  readonly corsOrigins: readonly string[];
  /** How long a stop waits for requests and parses in flight. */
  readonly shutdownGraceMs: number;
  /** Alerts may go to private addresses: a homelab's chat server. */
  readonly alertsAllowPrivate: boolean;
  readonly logLevel: LogLevel;
}

/** All that is wrong with the settings, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError with one line per problem */
export function readConfig(environment: Environment): Config {
  // An empty value means "not set": that is what `FOO=` in a .env file or a compose file is meant to say.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  const problems = [
    ...(parsed.success
      ? []
      : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)),
    ...unknownSettings(given),
  ];
  if (parsed.success) {
    problems.push(
      ...issuerProblems(parsed.data),
      ...exposureProblems(parsed.data),
      ...s3Problems(parsed.data),
      ...persistenceProblems(parsed.data),
      ...answerProblems(parsed.data),
      ...storageProblems(parsed.data),
    );
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);

  const values = parsed.data;
  const { PARSE_SIDECAR_URL: url, PARSE_SIDECAR_XFER_DIR: xferDir } = values;
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL ?? null,
    allowedHosts: values.ALLOWED_HOSTS,
    auth: authOf(values),
    pageClient: pageClientOf(values),
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    databaseStatementTimeoutMs: values.DATABASE_STATEMENT_TIMEOUT_MS,
    coredumpsDir: values.COREDUMPS_DIR,
    assetsDir: values.ASSETS_DIR,
    s3: s3Settings(values),
    parser: url !== undefined && xferDir !== undefined ? { url, xferDir } : null,
    parseConcurrency: values.PARSE_CONCURRENCY,
    parseTimeoutMs: values.PARSE_TIMEOUT_MS,
    romElfDir: values.ESP_ROM_ELF_DIR ?? null,
    maxCoredumps: values.MAX_COREDUMPS,
    maxCoredumpBytes: values.MAX_COREDUMP_BYTES,
    maxStorageBytes: values.MAX_STORAGE_BYTES ?? null,
    maxFirmwares: values.MAX_FIRMWARES,
    maxFirmwareBytes: values.MAX_FIRMWARE_BYTES,
    uploadStallMs: values.UPLOAD_STALL_MS,
    uploadDeadlineMs: values.UPLOAD_DEADLINE_MS,
    maxUploadsInFlight: values.MAX_UPLOADS_IN_FLIGHT,
    deviceUploadsPerMinute: values.DEVICE_UPLOADS_PER_MINUTE,
    deviceUploadBurst: values.DEVICE_UPLOAD_BURST,
    authFailuresPerMinute: values.AUTH_FAILURES_PER_MINUTE,
    trustedProxies: values.TRUSTED_PROXIES,
    auditDays: values.AUDIT_DAYS,
    queryLimits: {
      maxTokens: values.GRAPHQL_MAX_TOKENS,
      maxDepth: values.GRAPHQL_MAX_DEPTH,
      maxAliases: values.GRAPHQL_MAX_ALIASES,
      maxCost: values.GRAPHQL_MAX_COST,
    },
    answerLimits: {
      maxAnswerBytes: values.GRAPHQL_MAX_ANSWER_BYTES,
      maxBytesInFlight: values.GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT,
    },
    answerStallMs: values.ANSWER_STALL_MS,
    persistedDocuments:
      values.PERSISTED_DOCUMENTS === undefined
        ? null
        : { path: values.PERSISTED_DOCUMENTS, isOnly: values.PERSISTED_DOCUMENTS_ONLY },
    maxConnections: values.MAX_CONNECTIONS,
    maxStreamsPerAddress: values.MAX_STREAMS_PER_ADDRESS,
    corsOrigins: values.CORS_ORIGINS,
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
    alertsAllowPrivate: values.ALERTS_ALLOW_PRIVATE,
    logLevel: values.LOG_LEVEL,
  });
}

const GIB = 1024 ** 3;

/** Who copies a URL from another program's settings is told rather than left to believe that they work. */
const PRISMA_PARAMETERS = ['schema', 'connection_limit', 'pool_timeout', 'pgbouncer'];

/** Each setting with its default; the numbers' upper ends only catch slips of the pen. */
const settings = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(4000),
  PUBLIC_URL: z
    .string()
    .refine(isBareAddress, {
      error: (issue) =>
        `${shown(issue.input)} is not an http:// or https:// address without a path, such as https://coredock.example.org`,
    })
    .transform((text) => new URL(text).origin)
    .optional(),
  ALLOWED_HOSTS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((hosts) => hosts.every(isHostName), {
      error:
        'it is not a comma-separated list of host names and addresses without scheme and port, such as coredock.lan, 192.168.1.10',
    })
    .default([]),
  ALLOW_UNAUTHENTICATED: trueOrFalse().default(false),
  OIDC_ISSUER: z
    .string()
    .refine(isHttpUrl, { error: (issue) => `${shown(issue.input)} is not an http:// or https:// URL` })
    .optional(),
  OIDC_AUDIENCE: z.string().optional(),
  // Where Keycloak puts them.
  OIDC_ROLES_CLAIM: z.string().default('realm_access.roles'),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_SCOPE: z.string().default('openid'),
  ADMIN_TOKENS: digests(),
  VIEWER_TOKENS: digests(),
  DATABASE_URL: z
    .string()
    .refine(isDatabaseUrl, {
      // Not the value itself: it may hold a password, and this line goes to logs.
      error: 'it is neither file:PATH nor postgresql://USER:PASSWORD@HOST:PORT/DATABASE',
    })
    .refine(hasNoPrismaParameters, {
      error: `its parameters ${PRISMA_PARAMETERS.join(', ')} are Prisma's and do nothing here; see DATABASE_POOL_SIZE`,
    })
    .default('file:./data/coredock.db'),
  // Two at least: a change of firmware holds one for its turn, and works with another.
  DATABASE_POOL_SIZE: wholeNumber(2, 1_000).default(10),
  DATABASE_STATEMENT_TIMEOUT_MS: wholeNumber(1_000, 3_600_000).default(30_000),
  COREDUMPS_DIR: z.string().default('./data/coredumps'),
  ASSETS_DIR: z.string().default('./data/firmware'),
  S3_BUCKET: z
    .string()
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, {
      error: (issue) =>
        `${shown(issue.input)} is not the name of a bucket: 3 to 63 of a-z, 0-9, "." and "-", with a letter or digit at both ends`,
    })
    .optional(),
  S3_ENDPOINT: z
    .string()
    .refine(isHttpUrl, { error: (issue) => `${shown(issue.input)} is not an http:// or https:// URL` })
    .optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  // Which is right depends on S3_ENDPOINT: see s3Settings.
  S3_FORCE_PATH_STYLE: trueOrFalse().optional(),
  PARSE_SIDECAR_URL: z
    .string()
    .refine(isHttpUrl, { error: (issue) => `${shown(issue.input)} is not an http:// or https:// URL` })
    .optional(),
  PARSE_SIDECAR_XFER_DIR: z.string().optional(),
  PARSE_CONCURRENCY: wholeNumber(1, 256).default(availableParallelism()),
  PARSE_TIMEOUT_MS: wholeNumber(100, 3_600_000).default(30_000),
  // The peer's own variable: whoever has the folder has this set already.
  ESP_ROM_ELF_DIR: z.string().optional(),
  MAX_COREDUMPS: wholeNumber(1, 1_000_000).default(20),
  MAX_COREDUMP_BYTES: wholeNumber(1, GIB).default(1_048_576),
  MAX_STORAGE_BYTES: wholeNumber(1, 2 ** 50).optional(),
  MAX_FIRMWARES: wholeNumber(1, 1_000_000).default(20),
  MAX_FIRMWARE_BYTES: wholeNumber(1, GIB).default(67_108_864),
  // A dump over a poor GPRS link still brings several KiB in this time.
  UPLOAD_STALL_MS: wholeNumber(100, 3_600_000).default(15_000),
  // A MiB at 2 KB/s, which GPRS brings on a bad day.
  UPLOAD_DEADLINE_MS: wholeNumber(100, 3_600_000).default(600_000),
  // So many that some hundred sockets which only trickle leave room for the others until they are cut. What all of them
  // cost at full speed is measured by `npm run bench -- uploadMemoryAtLimit`.
  MAX_UPLOADS_IN_FLIGHT: wholeNumber(1, 100_000).default(1_000),
  // A device that crashes as soon as it is up sends about a dozen a minute. It may do so for a while: the first
  // dumps of a loop are the interesting ones.
  DEVICE_UPLOADS_PER_MINUTE: wholeNumber(1, 1_000_000).default(6),
  DEVICE_UPLOAD_BURST: wholeNumber(1, 1_000_000).default(120),
  // A whole building of devices that somebody forgot to register may stand behind one address.
  AUTH_FAILURES_PER_MINUTE: wholeNumber(1, 1_000_000).default(100),
  TRUSTED_PROXIES: addressList().default([]),
  AUDIT_DAYS: wholeNumber(1, 100_000).default(365),
  // GraphiQL's introspection, the longest and deepest document that people send, stays below both.
  GRAPHQL_MAX_TOKENS: wholeNumber(100, 100_000).default(2_000),
  GRAPHQL_MAX_DEPTH: wholeNumber(1, 100).default(15),
  // A page of counts, one for each status and model, has some.
  GRAPHQL_MAX_ALIASES: wholeNumber(0, 1_000).default(30),
  // The dumps of 200 devices, 20 each, with six fields are half of it: README says how much.
  GRAPHQL_MAX_COST: wholeNumber(100, 100_000_000).default(50_000),
  // The largest text that a sidecar may answer with can be read, by itself.
  GRAPHQL_MAX_ANSWER_BYTES: wholeNumber(65_536, GIB).default(16_777_216),
  // In memory they are some times that (`npm run bench -- answers`).
  GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT: wholeNumber(65_536, 64 * GIB).default(67_108_864),
  // As of uploads: a poor GPRS link takes several KiB in this time.
  ANSWER_STALL_MS: wholeNumber(100, 3_600_000).default(30_000),
  PERSISTED_DOCUMENTS: z.string().optional(),
  PERSISTED_DOCUMENTS_ONLY: z
    .enum(['true', 'false'], { error: (issue) => `${shown(issue.input)} is neither true nor false` })
    .default('false')
    .transform((value) => value === 'true'),
  MAX_CONNECTIONS: wholeNumber(10, 1_000_000).default(5_000),
  // All people of a company may stand behind one address.
  MAX_STREAMS_PER_ADDRESS: wholeNumber(1, 1_000_000).default(1_000),
  CORS_ORIGINS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((origins) => origins.every(isOrigin), {
      error: 'it is not a comma-separated list of origins, such as https://dashboard.example',
    })
    .default([]),
  SHUTDOWN_GRACE_MS: wholeNumber(0, 3_600_000).default(10_000),
  ALERTS_ALLOW_PRIVATE: z
    .enum(['true', 'false'], { error: (issue) => `${shown(issue.input)} is neither true nor false` })
    .default('false')
    .transform((value) => value === 'true'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: (issue) => `${shown(issue.input)} is not one of trace, debug, info, warn, error, fatal, silent`,
    })
    .default('info'),
});

/** The names of all settings, for the README's test and for spotting slips of the pen. */
export const SETTING_NAMES: readonly string[] = Object.keys(settings.shape);

/** SHA-256 digests of tokens. What is wrong is not shown: it may be a token that somebody forgot to hash. */
function digests() {
  return z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .refine((items) => items.every((item) => /^sha256:[0-9a-f]{64}$/i.test(item)), {
      error:
        'it is not a list of "sha256:" and 64 hexadecimal digits, separated by commas; `coredock token` makes a token and its digest',
    })
    .transform((items) => items.map((item) => item.slice('sha256:'.length).toLowerCase()))
    .default([]);
}

function wholeNumber(min: number, max: number) {
  const message = (input: unknown) => `${shown(input)} is not a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: (issue) => message(issue.input) })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: (issue) => message(issue.input) });
}

/** Comma-separated addresses, ranges, and the words loopback, linklocal and uniquelocal. */
function addressList() {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((parts) => parts.every(isProxyAddress), {
      error: 'it is not a comma-separated list of addresses and ranges, such as 127.0.0.1, 10.0.0.0/8',
    });
}

function trueOrFalse() {
  return z
    .enum(['true', 'false'], { error: (issue) => `${shown(issue.input)} is neither true nor false` })
    .transform((value) => value === 'true');
}

function shown(input: unknown): string {
  return `"${String(input)}"`;
}

function isDatabaseUrl(text: string): boolean {
  if (/^postgres(ql)?:\/\//.test(text)) return URL.canParse(text);
  return /^file:.+/.test(text);
}

function hasNoPrismaParameters(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { searchParams } = new URL(text);
  return !PRISMA_PARAMETERS.some((name) => searchParams.has(name));
}

/** A path would be lost: the page and its links live at the root. */
function isBareAddress(text: string): boolean {
  if (!isHttpUrl(text)) return false;
  const { origin, href } = new URL(text);
  return href === `${origin}/`;
}

/** As browsers write it: without a path, in lower case. */
function isOrigin(text: string): boolean {
  return isHttpUrl(text) && new URL(text).origin === text;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** Prefixes that are ours alone; a name that begins so and is none of ours is a slip of the pen, not another program's. */
const OWN_PREFIXES = [
  'PUBLIC_URL',
  'ALLOWED_HOST',
  'PARSE_',
  'DATABASE_POOL',
  'DATABASE_STATEMENT',
  'MAX_COREDUMP',
  'MAX_FIRMWARE',
  'MAX_STORAGE',
  'COREDUMPS_',
  'ASSETS_',
  'UPLOAD_',
  'MAX_UPLOADS',
  'DEVICE_UPLOAD',
  'AUTH_FAILURES',
  'TRUSTED_PROX',
  'GRAPHQL_',
  'ANSWER_',
  'PERSISTED_',
  'MAX_CONNECTIONS',
  'MAX_STREAMS',
  'CORS_',
  'SHUTDOWN_GRACE',
  'ALERTS_',
  'S3_',
  'AUDIT_',
  'OIDC_ISSUER',
  'OIDC_AUD',
  'OIDC_ROLE',
  'OIDC_CLIENT',
  'OIDC_SCOPE',
  'ADMIN_TOKEN',
  'VIEWER_TOKEN',
];

function unknownSettings(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) && !SETTING_NAMES.includes(name))
    .map((name) => `${name}: there is no such setting`);
}

function s3Settings(values: z.infer<typeof settings>): S3Settings | null {
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint, S3_REGION: region } = values;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values;
  if (bucket === undefined) return null;
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined;
  return Object.freeze({
    bucket,
    endpoint: endpoint ?? null,
    region,
    credentials: hasKeys ? { accessKeyId, secretAccessKey } : null,
    // Few servers but AWS have a name in the DNS for each bucket, and all know it in the path.
    forcePathStyle: values.S3_FORCE_PATH_STYLE ?? endpoint !== undefined,
  });
}

function s3Problems(values: z.infer<typeof settings>): string[] {
  const { S3_BUCKET, S3_ENDPOINT, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_FORCE_PATH_STYLE } = values;
  const others = { S3_ENDPOINT, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_FORCE_PATH_STYLE };
  if (S3_BUCKET === undefined) {
    return Object.entries(others)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => `${name}: does nothing without S3_BUCKET; set that too, or unset this`);
  }
  if ((S3_ACCESS_KEY_ID === undefined) === (S3_SECRET_ACCESS_KEY === undefined)) return [];
  const [missing, given] =
    S3_ACCESS_KEY_ID === undefined
      ? ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']
      : ['S3_SECRET_ACCESS_KEY', 'S3_ACCESS_KEY_ID'];
  return [
    `${missing}: is missing beside ${given}; set both, or neither to use the machine's own credentials`,
  ];
}

type Settings = z.infer<typeof settings>;

function authOf({ OIDC_ISSUER: url, OIDC_AUDIENCE: audience, ...values }: Settings): AuthSettings {
  return {
    issuer:
      url === undefined || audience === undefined
        ? null
        : { url, audience, rolesClaim: values.OIDC_ROLES_CLAIM },
    tokens: { admin: values.ADMIN_TOKENS, viewer: values.VIEWER_TOKENS },
  };
}

function pageClientOf({ OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_SCOPE: scope }: Settings) {
  return issuer === undefined || clientId === undefined ? null : { issuer, clientId, scope };
}

/** Half an issuer would leave the door open, or let in what was meant for other programs of the same issuer. */
function issuerProblems({ OIDC_ISSUER, OIDC_AUDIENCE, OIDC_CLIENT_ID }: Settings): string[] {
  if (OIDC_ISSUER === undefined && OIDC_CLIENT_ID !== undefined) {
    return ['OIDC_ISSUER: it is missing, and OIDC_CLIENT_ID does nothing without it'];
  }
  if (OIDC_ISSUER !== undefined && OIDC_AUDIENCE === undefined) {
    return ['OIDC_AUDIENCE: it is missing; tokens of OIDC_ISSUER are only taken when they are meant for us'];
  }
  if (OIDC_ISSUER === undefined && OIDC_AUDIENCE !== undefined) {
    return ['OIDC_ISSUER: it is missing, and OIDC_AUDIENCE does nothing without it'];
  }
  return [];
}

function exposureProblems(values: Settings): string[] {
  const hasAuthentication =
    values.OIDC_ISSUER !== undefined || values.ADMIN_TOKENS.length + values.VIEWER_TOKENS.length > 0;
  if (values.ALLOW_UNAUTHENTICATED || hasAuthentication || isLoopback(values.HOST)) return [];
  return [
    `HOST: ${shown(values.HOST)} can be reached from other machines and no authentication is configured; ` +
      'set OIDC_ISSUER, ADMIN_TOKENS or VIEWER_TOKENS, use 127.0.0.1, or set ALLOW_UNAUTHENTICATED=true if whoever ' +
      'can reach it may do everything',
  ];
}

function persistenceProblems(values: z.infer<typeof settings>): string[] {
  if (!values.PERSISTED_DOCUMENTS_ONLY || values.PERSISTED_DOCUMENTS !== undefined) return [];
  return ['PERSISTED_DOCUMENTS_ONLY: there are none, so nothing could be asked; set PERSISTED_DOCUMENTS'];
}

function answerProblems(values: Settings): string[] {
  const { GRAPHQL_MAX_ANSWER_BYTES: one, GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT: all } = values;
  if (all >= one) return [];
  return [
    `GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT: ${all} is less than the ${one} bytes that GRAPHQL_MAX_ANSWER_BYTES lets one ` +
      'answer have; raise this, or lower that',
  ];
}

/** With less room than one dump may need, each would go as it comes. */
function storageProblems({ MAX_STORAGE_BYTES: all, MAX_COREDUMP_BYTES: one }: Settings): string[] {
  if (all === undefined || all >= one) return [];
  return [`MAX_STORAGE_BYTES: "${all}" is less than one dump may have (MAX_COREDUMP_BYTES, ${one})`];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
