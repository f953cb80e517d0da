import { type FormEvent, useState } from 'react';
import { withBase } from '../../base-path';
import { Field } from '../../parts/field';
import { beginSession } from '../../session/session';

/** Sign-in with a static token or a JWT, which is checked before the session begins. */
export function TokenForm() {
  const [problem, setProblem] = useState<string | null>(null);
  const [isTrying, setTrying] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim();
    setTrying(true);
    const refusal = await tryToken(token).catch(() => 'The server cannot be reached.');
    setTrying(false);
    setProblem(refusal);
    if (refusal === null) beginSession({ token, renewal: null });
  }

  return (
    <form className="token-form" onSubmit={(event) => void submit(event)}>
      <Field
        label="Token of a viewer or admin"
        name="token"
        type="password"
        autoComplete="current-password"
        required
        pattern="[A-Za-z0-9._~+\/\-]+=*"
        title="A token has letters, digits and . _ ~ + / - only"
        hint="“coredock token” makes one. It is stored in this tab only."
      />
      {problem !== null && (
        <p className="notice" data-tone="danger" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="button" disabled={isTrying}>
        Sign in with the token
      </button>
    </form>
  );
}

/** @returns the server's reason for refusing the token, or null */
async function tryToken(token: string): Promise<string | null> {
  const response = await fetch(withBase('/graphql'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  if (response.ok) return null;
  const { errors } = (await response.json()) as { errors?: { message: string }[] };
  return errors?.[0]?.message ?? `The server answers ${response.status}.`;
}
