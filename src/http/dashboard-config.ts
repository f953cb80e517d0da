import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { Config } from '../config/settings.js';
import { DomainError } from '../errors.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendJson } from '../platform/http/send-json.js';
import type { CrossOrigin } from './cors.js';
import type { Exchange } from './exchange.js';
import type { PageSessions } from './page-sessions.js';
import { sessionInfo } from './session.js';
import type { SettingWarnings } from './setting-warnings.js';

/**
 * `GET /api/config`: what the web page needs before anybody has signed in, so it contains no secrets.
 *
 * `session` is who has signed in with this browser, or null; `ended` why a session that the browser had is over. `role`
 * is `viewer`, `uploader` or `admin`, also for who sends a token; else null. `problem` is why uploads and the WebSocket of
 * the page, whose origin is the parameter `origin`, are going to be refused: browsers show pages no reason for a refused
 * WebSocket.
 */
export function createPageConfigRoute({
  gatekeeper,
  clientAddress,
  crossOrigin,
  pageSessions,
  settingWarnings,
  pageClient,
}: {
  gatekeeper: Pick<Gatekeeper, 'isOn' | 'admitUploaders'>;
  clientAddress: ClientAddress;
  crossOrigin: Pick<CrossOrigin, 'refusalOfPage'>;
  pageSessions: Pick<PageSessions, 'secretOf' | 'keep' | 'forget'>;
  settingWarnings: SettingWarnings;
  pageClient: Config['pageClient'];
}) {
  /** @throws DomainError for credentials that are invalid, not a person's, or tried too often */
  return async function pageConfig({
    request,
    response,
    search,
  }: Pick<Exchange, 'request' | 'response' | 'search'>): Promise<void> {
    response.setHeader('Cache-Control', 'no-store');
    const origin = new URLSearchParams(search).get('origin');
    const { person, session, ended } = await whoAsks(request, response, origin);
    const problem = origin === null ? null : crossOrigin.refusalOfPage(origin, request.headers.host);
    if (problem !== null) settingWarnings.note(problem);
    sendJson(response, 200, {
      authentication: gatekeeper.isOn,
      oidc: pageClient,
      role: person?.kind ?? null,
      session,
      ended,
      problem,
    });
  };

  async function whoAsks(request: IncomingMessage, response: ServerResponse, origin: string | null) {
    const nobody = { person: null, session: null, ended: null };
    const { authorization } = request.headers;
    const address = clientAddress(request);
    if (!gatekeeper.isOn || authorization !== undefined) {
      return { ...nobody, person: await gatekeeper.admitUploaders(address, authorization) };
    }
    response.appendHeader('Vary', 'Cookie');
    const secret = pageSessions.secretOf(request);
    if (secret === undefined) return nobody;
    try {
      const person = await gatekeeper.admitUploaders(address, undefined, secret);
      // Again, so that the cookie lasts as long as the session does.
      pageSessions.keep({ request, response }, secret, person, origin ?? undefined);
      return { person, session: sessionInfo(person), ended: null };
    } catch (error) {
      const ended = reasonOfEnd(error);
      if (ended === null) throw error;
      pageSessions.forget(response);
      return { ...nobody, ended };
    }
  }
}

/** @returns null for an error that leaves the session as it is */
function reasonOfEnd(error: unknown): 'ended' | 'forbidden' | null {
  const code = error instanceof DomainError ? error.code : null;
  if (code === 'UNAUTHENTICATED') return 'ended';
  return code === 'FORBIDDEN' ? 'forbidden' : null;
}
