import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const PROGRAM = fileURLToPath(new URL('./oidc-provider.mjs', import.meta.url));
export const AUDIENCE = 'coredock';

export interface OidcClient {
  /** What becomes the token's `azp`. */
  id: string;
  roles?: string[];
}

export type OidcProvider = Awaited<ReturnType<typeof anOidcProvider>>;

/** A real OpenID Connect provider in a process of its own, gone when the test is. */
export async function anOidcProvider(clients: readonly OidcClient[], { port = 0 } = {}) {
  let child: ChildProcess | null = null;
  const start = async (wanted: number) => {
    child = fork(PROGRAM, {
      env: { ...process.env, CLIENTS: JSON.stringify(clients), PORT: String(wanted) },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const [message] = (await once(child, 'message')) as [{ issuer: string }];
    return message.issuer;
  };
  const stop = async () => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const ask = async <Answer>(question: object): Promise<Answer> => {
    if (child === null) throw new Error('the provider does not run');
    const answer = once(child, 'message');
    child.send(question);
    return (await answer)[0] as Answer;
  };
  const issuer = await start(port);
  onTestFinished(stop);

  return {
    issuer,
    /** What a server needs to know of it. */
    environment: { OIDC_ISSUER: issuer, OIDC_AUDIENCE: AUDIENCE },
    /** From its token endpoint, as programs get theirs. */
    async token(client: string, audience = AUDIENCE): Promise<string> {
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa(`${client}:secret`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: `urn:${audience}` }),
      });
      if (!response.ok) throw new Error(`${client}: ${response.status} ${await response.text()}`);
      return ((await response.json()) as { access_token: string }).access_token;
    },
    /** A token with just these claims, signed by the provider's key. */
    sign: async (claims: object, header: object = {}) =>
      (await ask<{ token: string }>({ sign: { claims, header } })).token,
    /** A new signing key; the old one stays in the key set or is withdrawn. */
    rotate: (old: 'keep' | 'withdraw') => ask({ rotate: old }),
    stop,
  };
}

export const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
