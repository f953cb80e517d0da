import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { Config } from '../config/settings.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendJson } from '../platform/http/send-json.js';
import type { Exchange } from './exchange.js';

/**
 * `GET /api/config`: what the web page needs before anybody has signed in, so it contains no secrets. With credentials
 * `role` is `viewer`, `uploader` or `admin`; without it is null.
 */
export function createPageConfigRoute({
  gatekeeper,
  clientAddress,
  pageClient,
}: {
  gatekeeper: Pick<Gatekeeper, 'isOn' | 'admitUploaders'>;
  clientAddress: ClientAddress;
  pageClient: Config['pageClient'];
}) {
  /** @throws DomainError for credentials that are invalid, not a person's, or tried too often */
  return async function pageConfig({
    request,
    response,
  }: Pick<Exchange, 'request' | 'response'>): Promise<void> {
    const { authorization } = request.headers;
    const isStranger = gatekeeper.isOn && authorization === undefined;
    const person = isStranger ? null : await gatekeeper.admitUploaders(clientAddress(request), authorization);
    response.setHeader('Cache-Control', 'no-store');
    sendJson(response, 200, {
      authentication: gatekeeper.isOn,
      oidc: pageClient,
      role: person?.kind ?? null,
    });
  };
}
