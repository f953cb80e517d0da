import { badInput } from '../errors.js';

/**
 * Addresses with placeholders, `https://github.com/acme/fw/blob/{revision}/{path}#L{line}`. Scheme and host are
 * literal, and each value is percent-encoded, so that what devices and builds say never leads to another host.
 */
export interface LinkTemplate {
  /** As people name it in errors and in the API: `sourceUrl`. */
  readonly field: string;
  readonly placeholders: readonly string[];
  /** One of them must be there, or all addresses would be the same. */
  readonly needsOneOf: readonly string[];
}

const MAX_TEMPLATE_LENGTH = 1000;

const PLACEHOLDER = /\{([^{}]*)\}/g;
/** What may stand in an address as it is (RFC 3986), and the braces of placeholders. */
const ADDRESS = /^[\w\-.~:/?#[\]@!$&'()*+,;=%{}]*$/;
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** @throws DomainError BAD_USER_INPUT */
export function requireTemplate(text: string, { field, placeholders, needsOneOf }: LinkTemplate): void {
  const refuse = (what: string): never => {
    throw badInput(`${field} ${what}.`, { field });
  };
  if (text.length > MAX_TEMPLATE_LENGTH) refuse(`has at most ${MAX_TEMPLATE_LENGTH} characters`);
  if (!text.startsWith('https://')) refuse('begins with "https://"');
  const host = hostOf(text);
  if (host.includes('@')) refuse('must not contain a user name or a password');
  if (!HOST.test(host)) refuse('needs a host name without placeholders after "https://"');
  if (!ADDRESS.test(text) || /%(?![0-9a-f]{2})/i.test(text)) {
    refuse('has a character that an address cannot have: write it percent-encoded, a space as "%20"');
  }
  if (/[{}]/.test(text.replace(PLACEHOLDER, ''))) refuse('has a "{" or "}" without its partner');
  const used = [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  const known = placeholders.map((name) => `{${name}}`).join(', ');
  const unknown = used.find((name) => !placeholders.includes(name));
  if (unknown !== undefined) refuse(`has the unknown placeholder "{${unknown}}": use ${known}`);
  if (needsOneOf.length > 0 && !needsOneOf.some((name) => used.includes(name))) {
    refuse(`needs ${needsOneOf.map((name) => `{${name}}`).join(' or ')}`);
  }
  const example = text.replace(PLACEHOLDER, 'x');
  if (!URL.canParse(example)) refuse('is not an address');
  if (hasDotSegment(example)) refuse('must not contain "." or ".." between slashes');
}

/**
 * The address for these values; null when one of the template's placeholders has none, or when the result would not be
 * below the template's host and path.
 */
export function fillTemplate(
  template: string,
  values: Readonly<Record<string, string | null | undefined>>,
): string | null {
  const queryAt = template.search(/[?#]/);
  let isComplete = true;
  const address = template.replace(PLACEHOLDER, (_, name: string, at: number) => {
    const value = values[name];
    if (value === null || value === undefined || value === '') isComplete = false;
    const isInPath = queryAt === -1 || at < queryAt;
    return encode(value ?? '', isInPath || name === 'path');
  });
  return isComplete && !hasDotSegment(address) && URL.canParse(address) ? address : null;
}

/** Percent-encoded, for a path, a query and a fragment alike; in a path slashes stay. */
function encode(value: string, keepsSlashes: boolean): string {
  // A half of a surrogate pair, which encodeURIComponent refuses.
  const wellFormed = value.replace(/[\ud800-\udfff]/gu, '\ufffd');
  const encoded = encodeURIComponent(wellFormed).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return keepsSlashes ? encoded.replaceAll('%2F', '/') : encoded;
}

/** Browsers drop such segments, also when they are encoded, and with them what stands before. */
function hasDotSegment(address: string): boolean {
  const [path = ''] = address.slice(address.indexOf('//') + 2).split(/[?#]/);
  return path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
}

/** What stands between `https://` and the path. */
function hostOf(template: string): string {
  return template.slice('https://'.length).split(/[/?#\\]/, 1)[0] ?? '';
}
