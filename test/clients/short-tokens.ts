import { inSeconds, type OidcProvider } from '../support/oidc.js';

/** How long past its `exp` a token is taken. */
const SKEW_SECONDS = 30;
const VIEWER_ROLE = { realm_access: { roles: ['viewer'] } };

/** Tokens as an issuer with short ones gives them: each call gets a new one, and the first ends in about five seconds. */
export function renewedTokens(issuer: Pick<OidcProvider, 'sign'>) {
  let issued = 0;
  return {
    count: () => issued,
    async next(): Promise<string> {
      issued += 1;
      return issuer.sign({ exp: inSeconds(issued === 1 ? 5 - SKEW_SECONDS : 3600), ...VIEWER_ROLE });
    },
  };
}
