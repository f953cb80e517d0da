import * as z from 'zod';
import { isHostName } from '../platform/http/allowed-hosts.js';
import { isProxyAddress } from '../platform/http/client-address.js';

/** A decimal number without sign and exponent, within the bounds. */
export function wholeNumber(min: number, max: number) {
  const message = (input: unknown) => `${quoted(input)} is not a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: (issue) => message(issue.input) })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: (issue) => message(issue.input) });
}

/** Only the words `true` and `false`, so that a typing error is not taken for either. */
export function trueOrFalse() {
  return z
    .enum(['true', 'false'], { error: (issue) => `${quoted(issue.input)} is neither true nor false` })
    .transform((value) => value === 'true');
}

/** An http:// or https:// URL, as it was written. */
export function httpUrl() {
  return z.string().refine(isHttpUrl, {
    error: (issue) => `${quoted(issue.input)} is not an http:// or https:// URL`,
  });
}

/** First segments of the server's own paths. A page below one of them could not be told from the API. */
export const OWN_SEGMENTS: readonly string[] = [
  ...['api', 'assets', 'graphql', 'graphiql', 'mcp'],
  ...['healthz', 'readyz', 'metrics', 'schema.graphql'],
  ...['dump', 'upload_elf'],
];

/**
 * An http:// or https:// URL, with or without a path, returned without a slash at its end. Its path is used in links and
 * in HTML as it is, so it may have only characters that need no escaping.
 */
export function publicUrl() {
  return z
    .string()
    .refine(isPublicUrl, {
      error: (issue) =>
        `${quoted(issue.input)} is not an http:// or https:// address of a page, such as https://coredock.example.org or ` +
        'https://example.org/coredock (without user, query and "#"; of letters, digits and ._~- in its path)',
    })
    .refine((text) => !isPublicUrl(text) || !OWN_SEGMENTS.includes(firstSegmentOf(text)), {
      error: (issue) =>
        `${quoted(issue.input)} has a path that the server itself uses (${OWN_SEGMENTS.map((name) => `/${name}`).join(', ')}); ` +
        'take another one, such as https://example.org/coredock',
    })
    .transform((text) => new URL(text).href.replace(/\/$/, ''));
}

/** Comma-separated origins as browsers write them: without a path, in lower case. */
export function origins() {
  return listOf(
    (text) => isHttpUrl(text) && new URL(text).origin === text,
    'it is not a comma-separated list of origins, such as https://dashboard.example',
  );
}

/** Comma-separated host names and addresses, without scheme and port. */
export function hostNames() {
  return listOf(
    isHostName,
    'it is not a comma-separated list of host names and addresses without scheme and port, such as coredock.lan, 192.168.1.10',
  );
}

/** Comma-separated addresses, ranges, and the words loopback, linklocal and uniquelocal. */
export function proxyAddresses() {
  return listOf(
    isProxyAddress,
    'it is not a comma-separated list of addresses and ranges, such as 127.0.0.1, 10.0.0.0/8',
  );
}

/** SHA-256 digests of tokens. The error does not show the value: it may be a token that was not hashed. */
export function tokenDigests() {
  return listOf(
    (item) => /^sha256:[0-9a-f]{64}$/i.test(item),
    'it is not a list of "sha256:" and 64 hexadecimal digits, separated by commas; `coredock token` makes a token and its digest',
  ).transform((items): readonly string[] => items.map((item) => item.slice('sha256:'.length).toLowerCase()));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export function bucketName() {
  return z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, {
    error: (issue) =>
      `${quoted(issue.input)} is not the name of a bucket: 3 to 63 of a-z, 0-9, "." and "-", with a letter or digit at both ends`,
  });
}

/** Parameters that Prisma reads from a URL and Coredock does not: an error is better than ignoring them. */
const PRISMA_PARAMETERS = ['schema', 'connection_limit', 'pool_timeout', 'pgbouncer'];

/** SQLite's `file:PATH`, or a PostgreSQL URL. The error does not show the value: it may contain a password. */
export function databaseUrl() {
  return z
    .string()
    .refine((text) => (/^postgres(ql)?:\/\//.test(text) ? URL.canParse(text) : /^file:.+/.test(text)), {
      error: 'it is neither file:PATH nor postgresql://USER:PASSWORD@HOST:PORT/DATABASE',
    })
    .refine(hasNoPrismaParameters, {
      error: `its parameters ${PRISMA_PARAMETERS.join(', ')} are Prisma's and do nothing here; see DATABASE_POOL_SIZE`,
    });
}

/** One of several words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: (issue) => `${quoted(issue.input)} is not one of ${words.join(', ')}` });
}

export function quoted(input: unknown): string {
  return `"${String(input)}"`;
}

function listOf(isItem: (text: string) => boolean, error: string) {
  return z
    .string()
    .transform((text): readonly string[] => text.split(',').map((part) => part.trim()))
    .refine((items) => items.every(isItem), { error });
}

function hasNoPrismaParameters(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { searchParams } = new URL(text);
  return !PRISMA_PARAMETERS.some((name) => searchParams.has(name));
}

function isPublicUrl(text: string): boolean {
  if (!isHttpUrl(text)) return false;
  const { origin, pathname, href } = new URL(text);
  return href === `${origin}${pathname}` && /^(\/|(\/[\w.~-]+)+\/?)$/.test(pathname);
}

function firstSegmentOf(url: string): string {
  return new URL(url).pathname.split('/')[1] ?? '';
}

export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
