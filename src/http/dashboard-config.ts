import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { Config } from '../config/settings.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendJson } from '../platform/http/send-json.js';
import type { CrossOrigin } from './cors.js';
import type { Exchange } from './exchange.js';
import type { SettingWarnings } from './setting-warnings.js';

/**
 * `GET /api/config`: what the web page needs before anybody has signed in, so it contains no secrets. With credentials
 * `role` is `viewer`, `uploader` or `admin`; without it is null. `problem` is why uploads and the WebSocket of the page,
 * whose origin is the parameter `origin`, are going to be refused: browsers show pages no reason for a refused WebSocket.
 */
export function createPageConfigRoute({
  gatekeeper,
  clientAddress,
  crossOrigin,
  settingWarnings,
  pageClient,
}: {
  gatekeeper: Pick<Gatekeeper, 'isOn' | 'admitUploaders'>;
  clientAddress: ClientAddress;
  crossOrigin: Pick<CrossOrigin, 'refusalOfPage'>;
  settingWarnings: SettingWarnings;
  pageClient: Config['pageClient'];
}) {
  /** @throws DomainError for credentials that are invalid, not a person's, or tried too often */
  return async function pageConfig({
    request,
    response,
    search,
  }: Pick<Exchange, 'request' | 'response' | 'search'>): Promise<void> {
    const { authorization, host } = request.headers;
    const isStranger = gatekeeper.isOn && authorization === undefined;
    const person = isStranger ? null : await gatekeeper.admitUploaders(clientAddress(request), authorization);
    const origin = new URLSearchParams(search).get('origin');
    const problem = origin === null ? null : crossOrigin.refusalOfPage(origin, host);
    if (problem !== null) settingWarnings.note(problem);
    response.setHeader('Cache-Control', 'no-store');
    sendJson(response, 200, {
      authentication: gatekeeper.isOn,
      oidc: pageClient,
      role: person?.kind ?? null,
      problem,
    });
  };
}
