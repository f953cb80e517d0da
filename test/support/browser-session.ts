import { bearer, type TestApp } from './app.js';

/** What a browser of somebody who has signed in sends along. */
export interface Browser {
  /** Of the server's own page. */
  readonly headers: { Cookie: string; Origin: string };
  /** The value of the cookie. */
  readonly secret: string;
  get(path: string): Promise<Response>;
  /** A GraphQL document. */
  ask(query: string): Promise<unknown>;
  signOut(query?: string): Promise<Response>;
}

/** Signs in as the page does. */
export async function signedIn(
  { url }: Pick<TestApp, 'url'>,
  token: string | undefined,
  headers: Record<string, string> = {},
  refreshToken?: string,
): Promise<{ response: Response; browser: Browser }> {
  const response = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { Origin: url, 'Content-Type': 'application/json', ...bearer(token), ...headers },
    body: JSON.stringify({ refreshToken }),
  });
  const [cookie = ''] = (response.headers.getSetCookie().at(-1) ?? '').split(';');
  return { response, browser: aBrowser(url, cookie) };
}

/** @param cookie name and value */
export function aBrowser(url: string, cookie: string): Browser {
  const headers = { Cookie: cookie, Origin: url };
  return {
    headers,
    secret: cookie.slice(cookie.indexOf('=') + 1),
    get: (path) => fetch(url + path, { headers }),
    async ask(query) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      return response.json();
    },
    signOut: (query = '') => fetch(`${url}/api/session${query}`, { method: 'DELETE', headers }),
  };
}
