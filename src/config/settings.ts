import type { SmtpSettings } from '../platform/mail/mailer.js';
import { combinationProblems, unknownSettings } from './checks.js';
import { isLoopback } from './loopback.js';
import { type Settings, settings } from './schema.js';

/**
 * The settings of the program, read once from the environment (and `.env`) into one frozen object. Its fields are
 * described in schema.ts; null means not set.
 */
export type Config = Readonly<ReturnType<typeof configOf>>;

/** The accepted credentials. Authentication is on as soon as an issuer or a token is configured. */
export type AuthSettings = Config['auth'];

/** SHA-256 digests, hexadecimal, of the tokens of each role. */
export type StaticTokens = AuthSettings['tokens'];

/** Everything that is wrong with the settings, a line for each problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** @throws ConfigError with one line for each problem */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // An empty value means "not set", as in `FOO=` of a .env file or a compose file.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ...unknownSettings(Object.keys(given)),
    ...(parsed.success ? combinationProblems(parsed.data) : []),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(configOf(parsed.data));
}

function configOf(values: Settings) {
  return {
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL ?? null,
    /** Where links in alerts lead; null when only the reader could know. */
    pageUrl: values.PUBLIC_URL ?? loopbackUrlOf(values),
    allowedHosts: values.ALLOWED_HOSTS,
    auth: {
      issuer: issuerOf(values),
      tokens: { admin: values.ADMIN_TOKENS, uploader: values.UPLOADER_TOKENS, viewer: values.VIEWER_TOKENS },
      trustedPublishers: values.TRUSTED_PUBLISHERS,
    },
    /** How the dashboard signs people in at the issuer; null when it only accepts tokens. */
    pageClient: pageClientOf(values),
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    databaseStatementTimeoutMs: values.DATABASE_STATEMENT_TIMEOUT_MS,
    coredumpsDir: values.COREDUMPS_DIR,
    assetsDir: values.ASSETS_DIR,
    /** Null when dumps and firmware are files in the two folders. */
    s3: s3Of(values),
    parser: parserOf(values),
    parseConcurrency: values.PARSE_CONCURRENCY,
    parseTimeoutMs: values.PARSE_TIMEOUT_MS,
    romElfDir: values.ESP_ROM_ELF_DIR ?? null,
    maxCoredumps: values.MAX_COREDUMPS,
    maxCoredumpBytes: values.MAX_COREDUMP_BYTES,
    maxPendingDevices: values.MAX_PENDING_DEVICES,
    maxStorageBytes: values.MAX_STORAGE_BYTES ?? null,
    maxFirmwares: values.MAX_FIRMWARES,
    maxFirmwareBytes: values.MAX_FIRMWARE_BYTES,
    uploadStallMs: values.UPLOAD_STALL_MS,
    uploadDeadlineMs: values.UPLOAD_DEADLINE_MS,
    maxUploadsInFlight: values.MAX_UPLOADS_IN_FLIGHT,
    deviceUploadsPerMinute: values.DEVICE_UPLOADS_PER_MINUTE,
    deviceUploadBurst: values.DEVICE_UPLOAD_BURST,
    espCrashRoutes: values.ESP_CRASH_ROUTES,
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
    persistedDocuments: persistedDocumentsOf(values),
    maxConnections: values.MAX_CONNECTIONS,
    maxStreamsPerAddress: values.MAX_STREAMS_PER_ADDRESS,
    corsOrigins: values.CORS_ORIGINS,
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
    alertsAllowPrivate: values.ALERTS_ALLOW_PRIVATE,
    /** Null: no mails. */
    smtp: smtpOf(values),
    logLevel: values.LOG_LEVEL,
  };
}

/** The page's address for the people of this machine; null when others may use it too, or the port is not known. */
function loopbackUrlOf({ HOST, PORT }: Settings): string | null {
  if (!isLoopback(HOST) || PORT === 0) return null;
  return `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`;
}

function issuerOf({ OIDC_ISSUER: url, OIDC_AUDIENCE: audience, OIDC_ROLES_CLAIM: rolesClaim }: Settings) {
  return url === undefined || audience === undefined ? null : { url, audience, rolesClaim };
}

function pageClientOf({ OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_SCOPE: scope }: Settings) {
  return issuer === undefined || clientId === undefined ? null : { issuer, clientId, scope };
}

function parserOf({ PARSE_SIDECAR_URL: url, PARSE_SIDECAR_XFER_DIR: xferDir }: Settings) {
  return url === undefined || xferDir === undefined ? null : { url, xferDir };
}

function smtpOf({ SMTP_URL: server, SMTP_FROM: from }: Settings): SmtpSettings | null {
  return server === undefined || from === undefined ? null : Object.freeze({ ...server, from });
}

function persistedDocumentsOf({ PERSISTED_DOCUMENTS: path, PERSISTED_DOCUMENTS_ONLY: isOnly }: Settings) {
  return path === undefined ? null : { path, isOnly };
}

function s3Of(values: Settings) {
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint, S3_REGION: region } = values;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values;
  if (bucket === undefined) return null;
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined;
  return Object.freeze({
    bucket,
    endpoint: endpoint ?? null,
    region,
    credentials: hasKeys ? { accessKeyId, secretAccessKey } : null,
    // Few servers except AWS have a DNS name for each bucket; all support the bucket in the path.
    forcePathStyle: values.S3_FORCE_PATH_STYLE ?? endpoint !== undefined,
  });
}
