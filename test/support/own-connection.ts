/**
 * `fetch` on a connection of its own. On a machine that stood still for seconds, the server closes an idle connection just
 * when it is used again; what else breaks is a failure.
 */
export function fetchAlone(url: string | URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('Connection', 'close');
  return fetch(url, { ...init, headers });
}
