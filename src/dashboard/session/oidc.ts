import * as oauth from 'oauth4webapi';
import { SERVER_URL } from '../base-path';
import { CALLBACK_PATH, type PageConfig } from './page-config';

type Oidc = NonNullable<PageConfig['oidc']>;

/** State of the sign-in, kept in this tab during the redirect to the issuer and back. */
interface Attempt {
  state: string;
  /** Ties the issuer's ID token to this sign-in. */
  nonce: string;
  codeVerifier: string;
  /** The address before the sign-in. */
  returnTo: string;
}

const ATTEMPT_KEY = 'coredock.sign-in';

/**
 * Redirects to the issuer's sign-in: authorization code flow with PKCE (RFC 7636), because a page cannot keep a
 * secret.
 */
export async function goToIssuer(oidc: Oidc, returnTo: string): Promise<void> {
  const server = await discover(oidc);
  if (server.authorization_endpoint === undefined)
    throw new Error('The issuer names no authorization endpoint.');
  const attempt: Attempt = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    codeVerifier: oauth.generateRandomCodeVerifier(),
    returnTo,
  };
  sessionStorage.setItem(ATTEMPT_KEY, JSON.stringify(attempt));

  const url = new URL(server.authorization_endpoint);
  url.searchParams.set('client_id', oidc.clientId);
  url.searchParams.set('redirect_uri', redirectUri());
  url.searchParams.set('response_type', 'code');
  url.searchParams.set('scope', oidc.scope);
  url.searchParams.set('state', attempt.state);
  url.searchParams.set('nonce', attempt.nonce);
  url.searchParams.set('code_challenge', await oauth.calculatePKCECodeChallenge(attempt.codeVerifier));
  url.searchParams.set('code_challenge_method', 'S256');
  window.location.assign(url);
}

/** @throws Error when the response is not for our request, or when the issuer refused */
export async function comeBackFromIssuer(
  oidc: Oidc,
): Promise<{ token: string; refreshToken: string | undefined; returnTo: string }> {
  const text = sessionStorage.getItem(ATTEMPT_KEY);
  if (text === null) throw new Error('This sign-in did not start in this tab.');
  const { state, nonce, codeVerifier, returnTo } = JSON.parse(text) as Attempt;
  sessionStorage.removeItem(ATTEMPT_KEY);

  const server = await discover(oidc);
  const client = { client_id: oidc.clientId };
  const parameters = oauth.validateAuthResponse(server, client, new URL(window.location.href), state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    redirectUri(),
    codeVerifier,
    insecureIfLocal(oidc),
  );
  // Without the scope "openid" there is no ID token.
  const isOpenId = oidc.scope.split(/\s+/).includes('openid');
  const answer = await oauth.processAuthorizationCodeResponse(
    server,
    client,
    response,
    isOpenId ? { expectedNonce: nonce, requireIdToken: true } : {},
  );
  return { token: answer.access_token, refreshToken: answer.refresh_token, returnTo };
}

async function discover(oidc: Oidc): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(oidc.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecureIfLocal(oidc) });
  return oauth.processDiscoveryResponse(issuer, response);
}

/** The server's settings allow an issuer over HTTP; a browser blocks it from a page over HTTPS anyway. */
function insecureIfLocal({ issuer }: Oidc) {
  return { [oauth.allowInsecureRequests]: issuer.startsWith('http://') };
}

function redirectUri(): string {
  return `${SERVER_URL}${CALLBACK_PATH}`;
}
