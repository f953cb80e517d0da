import type { IncomingMessage } from 'node:http';

/** What this server calls its cookie, and where browsers send it. */
export interface SessionCookie {
  /**
   * The secret in the request's cookie; undefined without one.
   *
   * @param isSecure it came by https:// for certain: a cookie counts then that no other host, and nobody on the way, can set
   */
  read(request: Pick<IncomingMessage, 'headers'>, options: { isSecure: boolean }): string | undefined;
  /** Values of `Set-Cookie` that have a browser keep the secret until `endsAt`. */
  keep(secret: string, options: { maxAgeSeconds: number; isSecure: boolean }): string[];
  /** Values of `Set-Cookie` that remove it. */
  remove(): string[];
}

const SECRET = /^[\w-]{43}$/;
/** Browsers take it from https:// only, and for this very host only. RFC 6265bis §4.1.3.2. */
const HOST_PREFIX = '__Host-';

/**
 * HttpOnly: no script reads it. SameSite=Strict: browsers do not send it with what pages of other sites begin.
 *
 * @param installation cookies are shared by all ports of a host, and each server there needs a name of its own
 * @param basePath path below which people reach the server; empty at the root
 */
export function createSessionCookie({
  installation,
  basePath,
}: {
  installation: string;
  basePath: string;
}): SessionCookie {
  const name = `coredock_${installation.slice(0, 8)}`;
  const path = basePath === '' ? '/' : basePath;
  /** The prefix requires the path "/". */
  const secureName = path === '/' ? `${HOST_PREFIX}${name}` : name;
  const attributes = `Path=${path}; HttpOnly; SameSite=Strict`;

  return {
    read({ headers }, { isSecure }) {
      const cookies = (headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
      return cookieNamed(cookies, secureName) ?? (isSecure ? undefined : cookieNamed(cookies, name));
    },
    keep(secret, { maxAgeSeconds, isSecure }) {
      return [
        isSecure
          ? `${secureName}=${secret}; ${attributes}; Max-Age=${maxAgeSeconds}; Secure`
          : `${name}=${secret}; ${attributes}; Max-Age=${maxAgeSeconds}`,
      ];
    },
    remove() {
      const gone = `=; ${attributes}; Max-Age=0`;
      return secureName === name ? [name + gone] : [name + gone, `${secureName}${gone}; Secure`];
    },
  };
}

function cookieNamed(cookies: readonly string[], name: string): string | undefined {
  const found = cookies.find((cookie) => cookie.startsWith(`${name}=`));
  const value = found?.slice(name.length + 1);
  return value !== undefined && SECRET.test(value) ? value : undefined;
}
