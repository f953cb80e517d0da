import { type FormEvent, useState } from 'react';
import { Field } from '../../parts/field';
import { signIn } from '../../session/sign-in';

/** Sign-in with a static token or a JWT. */
export function TokenForm() {
  const [problem, setProblem] = useState<string | null>(null);
  const [isTrying, setTrying] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim();
    setTrying(true);
    setProblem(null);
    // When it succeeds this form is gone.
    await signIn(token).catch((error: unknown) => {
      setProblem(error instanceof Error ? error.message : String(error));
      setTrying(false);
    });
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
        hint="“coredock token” makes one. You stay signed in, in all tabs of this browser, until you sign out or do not come for 30 days."
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
