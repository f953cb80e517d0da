/**
 * An OpenID Connect issuer as a process of its own: the `oidc-provider` package, with client credentials for whoever
 * the environment's CLIENTS names. Plain JavaScript, because it runs as it is. Its parent sends
 * `{ rotate: 'keep' | 'withdraw' }` (a new signing key; the old one stays published or does not), or
 * `{ sign: { header, claims } }` (a token that the provider's own endpoint would not give, by the provider's key).
 */
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import Provider from 'oidc-provider';

const clients = JSON.parse(process.env.CLIENTS ?? '[]');
let keys = [await newKey()];
let answer = (_request, response) => response.writeHead(503).end();

const server = createServer((request, response) => answer(request, response));
await new Promise((resolve) => server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
answer = provide();
process.send({ issuer });

process.on('message', async ({ rotate, sign }) => {
  if (rotate !== undefined) {
    keys = [await newKey(), ...(rotate === 'keep' ? keys : [])];
    answer = provide();
    process.send({ rotated: keys[0].kid });
  }
  if (sign !== undefined) {
    const [key] = keys;
    const token = await new SignJWT({ iss: issuer, aud: 'coredock', ...sign.claims })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...sign.header })
      .sign(await importJWK(key, key.alg));
    process.send({ token });
  }
});
process.on('disconnect', () => process.exit());

/** The provider keeps its keys for good, so new keys are a new provider behind the same address. */
function provide() {
  return new Provider(issuer, {
    jwks: { keys },
    clients: clients.map(({ id }) => ({
      client_id: id,
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    extraTokenClaims: (_, { clientId }) => ({
      azp: clientId,
      realm_access: { roles: clients.find(({ id }) => id === clientId)?.roles ?? [] },
    }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // urn:coredock is for the audience "coredock".
        getResourceServerInfo: (_, resource) => ({
          audience: resource.replace('urn:', ''),
          scope: '',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
          jwt: { sign: { alg: keys[0].alg } },
        }),
      },
    },
  }).callback();
}

async function newKey() {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = `key-${Math.random().toString(36).slice(2)}`;
  return { ...(await exportJWK(privateKey)), kid, use: 'sig', alg: 'RS256' };
}
