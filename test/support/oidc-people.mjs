/**
 * An OpenID Connect issuer that people sign in at with a browser, as a process of its own: the `oidc-provider` package
 * with its own forms, which take any name and password. "ada" is an admin, everybody else a viewer. The environment
 * names REDIRECT_URI, TOKEN_SECONDS and RENEWED_SECONDS, and SPLIT for an issuer that has all but its discovery document on another
 * origin, as some of the large ones have their tokens. Plain JavaScript, because it runs as it is.
 */
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), kid: 'key', use: 'sig', alg: 'RS256' };

let answer = (_request, response) => response.writeHead(503).end();
const server = createServer((request, response) => answer(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provide = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ['secret'] },
  clients: [
    {
      client_id: 'coredock-page',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [process.env.REDIRECT_URI],
      response_types: ['code'],
    },
  ],
  clientBasedCORS: () => true,
  issueRefreshToken: () => true,
  extraTokenClaims: (_, { accountId }) => ({
    realm_access: { roles: [accountId === 'ada' ? 'admin' : 'viewer'] },
  }),
  features: {
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:coredock',
      useGrantedResource: () => true,
      getResourceServerInfo: ({ oidc }) => ({
        audience: 'coredock',
        scope: '',
        accessTokenFormat: 'jwt',
        accessTokenTTL: Number(
          oidc.params.grant_type === 'refresh_token'
            ? process.env.RENEWED_SECONDS
            : process.env.TOKEN_SECONDS,
        ),
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
}).callback();
answer = process.env.SPLIT === undefined ? provide : await elsewhere();
process.send({ issuer });
process.on('disconnect', () => process.exit());

/** The provider on a server of its own; what is left for the issuer's is the document that leads there. */
async function elsewhere() {
  const other = createServer(provide);
  await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
  const path = '/.well-known/openid-configuration';
  return async (request, response) => {
    if (request.url !== path) return response.writeHead(404).end();
    const document = await fetch(`http://127.0.0.1:${other.address().port}${path}`);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' });
    response.end(await document.text());
  };
}
