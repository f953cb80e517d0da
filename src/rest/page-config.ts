import type { ServerResponse } from 'node:http';
import type { Config } from '../config.js';
import { sendJson } from './errors.js';

/**
 * `GET /api/config`: what the web page must know before anybody has signed in, and so nothing that is a secret.
 *
 * @param isAuthenticationOn whether strangers are let in
 */
export function createPageConfigRoute({
  isAuthenticationOn,
  pageClient,
}: {
  isAuthenticationOn: boolean;
  pageClient: Config['pageClient'];
}) {
  return function pageConfig(response: ServerResponse): void {
    response.setHeader('Cache-Control', 'no-store');
    sendJson(response, 200, { authentication: isAuthenticationOn, oidc: pageClient });
  };
}
