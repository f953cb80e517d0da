import { isLoopback } from './loopback.js';
import { SETTING_NAMES, type Settings } from './schema.js';
import { quoted } from './value-types.js';

/**
 * Checks combinations of settings that are each valid alone.
 *
 * @returns a line for each problem
 */
export function combinationProblems(values: Settings): string[] {
  return [
    ...issuerProblems(values),
    ...uploaderProblems(values),
    ...exposureProblems(values),
    ...s3Problems(values),
    ...persistedDocumentsProblems(values),
    ...answerProblems(values),
    ...storageProblems(values),
    ...mailProblems(values),
  ];
}

/**
 * Prefixes that only Coredock's settings have. An unknown name with such a prefix is a typing error, not a variable of
 * another program.
 */
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
  'TRUSTED_PUB',
  'GRAPHQL_',
  'ANSWER_',
  'PERSISTED_',
  'MAX_CONNECTIONS',
  'MAX_STREAMS',
  'CORS_',
  'SHUTDOWN_GRACE',
  'ALERTS_',
  'SMTP_URL',
  'SMTP_FROM',
  'S3_',
  'AUDIT_',
  'OIDC_ISSUER',
  'OIDC_AUD',
  'OIDC_ROLE',
  'OIDC_CLIENT',
  'OIDC_SCOPE',
  'ADMIN_TOKEN',
  'VIEWER_TOKEN',
  'UPLOADER_TOKEN',
];

/** @returns a line for each unknown setting */
export function unknownSettings(names: readonly string[]): string[] {
  return names
    .filter((name) => OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) && !SETTING_NAMES.includes(name))
    .map((name) => `${name}: there is no such setting`);
}

/** Without an audience, tokens that the issuer made for other programs would be accepted. */
function issuerProblems({ OIDC_ISSUER, OIDC_AUDIENCE, OIDC_CLIENT_ID }: Settings): string[] {
  if (OIDC_ISSUER === undefined && OIDC_CLIENT_ID !== undefined) {
    return ['OIDC_ISSUER: it is missing, and OIDC_CLIENT_ID does nothing without it'];
  }
  if (OIDC_ISSUER !== undefined && OIDC_AUDIENCE === undefined) {
    return ['OIDC_AUDIENCE: it is missing; tokens of OIDC_ISSUER are only accepted when they name it'];
  }
  if (OIDC_ISSUER === undefined && OIDC_AUDIENCE !== undefined) {
    return ['OIDC_ISSUER: it is missing, and OIDC_AUDIENCE does nothing without it'];
  }
  return [];
}

/** They turn authentication on, and an uploader can do nothing before somebody has made a model. */
function uploaderProblems(values: Settings): string[] {
  const { OIDC_ISSUER, OIDC_AUDIENCE, ADMIN_TOKENS, TRUSTED_PUBLISHERS } = values;
  const name = values.UPLOADER_TOKENS.length > 0 ? 'UPLOADER_TOKENS' : 'TRUSTED_PUBLISHERS';
  const withoutAdmin =
    hasUploaders(values) && OIDC_ISSUER === undefined && ADMIN_TOKENS.length === 0
      ? [
          `ADMIN_TOKENS: with ${name} everybody needs a token, and no admin has one; set ADMIN_TOKENS or OIDC_ISSUER`,
        ]
      : [];
  // The audience says which of the two a token of this issuer is meant for.
  const mixed = TRUSTED_PUBLISHERS.some(
    ({ issuer, audience }) => issuer === OIDC_ISSUER && audience === OIDC_AUDIENCE,
  )
    ? [
        'TRUSTED_PUBLISHERS: for OIDC_ISSUER the audience of CI jobs must differ from OIDC_AUDIENCE, that of people',
      ]
    : [];
  return [...withoutAdmin, ...mixed];
}

function hasUploaders({ UPLOADER_TOKENS, TRUSTED_PUBLISHERS }: Settings): boolean {
  return UPLOADER_TOKENS.length + TRUSTED_PUBLISHERS.length > 0;
}

function exposureProblems(values: Settings): string[] {
  const hasAuthentication =
    values.OIDC_ISSUER !== undefined ||
    values.ADMIN_TOKENS.length + values.VIEWER_TOKENS.length > 0 ||
    hasUploaders(values);
  if (values.ALLOW_UNAUTHENTICATED || hasAuthentication || isLoopback(values.HOST)) return [];
  return [
    `HOST: ${quoted(values.HOST)} can be reached from other machines and no authentication is configured; ` +
      'set OIDC_ISSUER, ADMIN_TOKENS or VIEWER_TOKENS, use 127.0.0.1, or set ALLOW_UNAUTHENTICATED=true if everybody ' +
      'who can reach it may do everything',
  ];
}

function s3Problems(values: Settings): string[] {
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

function persistedDocumentsProblems(values: Settings): string[] {
  if (!values.PERSISTED_DOCUMENTS_ONLY || values.PERSISTED_DOCUMENTS !== undefined) return [];
  return [
    'PERSISTED_DOCUMENTS_ONLY: there are no documents, so every query would fail; set PERSISTED_DOCUMENTS',
  ];
}

function answerProblems(values: Settings): string[] {
  const { GRAPHQL_MAX_ANSWER_BYTES: one, GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT: all } = values;
  if (all >= one) return [];
  return [
    `GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT: ${all} is less than the ${one} bytes that GRAPHQL_MAX_ANSWER_BYTES lets one ` +
      'answer have; raise this, or lower that',
  ];
}

/** With less space than one dump may need, a dump would be deleted as soon as it arrives. */
function storageProblems({ MAX_STORAGE_BYTES: all, MAX_COREDUMP_BYTES: one }: Settings): string[] {
  if (all === undefined || all >= one) return [];
  return [`MAX_STORAGE_BYTES: "${all}" is less than one dump may have (MAX_COREDUMP_BYTES, ${one})`];
}

function mailProblems({ SMTP_URL: server, SMTP_FROM: from }: Settings): string[] {
  if ((server === undefined) === (from === undefined)) return [];
  return [
    from === undefined
      ? 'SMTP_FROM: it is missing, and mails by SMTP_URL need a sender; set it, such as coredock@example.org'
      : 'SMTP_URL: it is missing, and SMTP_FROM does nothing without it; set it, such as smtp://user:password@mail.example.org:587',
  ];
}
