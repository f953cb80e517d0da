/**
 * The path below which the server is reached: empty at the root, `/coredock` where PUBLIC_URL says so. The server has
 * written it into `index.html`.
 */
export const BASE_PATH = new URL(
  document.querySelector<HTMLMetaElement>('meta[name="coredock-base"]')?.content ?? '/',
  window.location.origin,
).pathname.replace(/\/$/, '');

/** The address of the server as people and devices reach it, without a slash at its end. */
export const SERVER_URL = `${window.location.origin}${BASE_PATH}`;

/** @param path of a route of the server or a file of the page: `/graphql`. Links of the page go by the router instead */
export function withBase(path: string): string {
  return `${BASE_PATH}${path}`;
}
