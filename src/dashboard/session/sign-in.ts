import { withBase } from '../base-path';
import { reasonIn, type SignedIn } from './page-config';
import { signedIn, signedOut } from './session';

const PATH = '/api/session';

/** The server has refused a sign-in. */
export class SignInRefused extends Error {
  constructor(
    message: string,
    /** `forbidden`: the token is right, and its person has no role here. */
    readonly kind: 'wrong' | 'forbidden' | 'too-many' | 'unreachable',
  ) {
    super(message);
  }
}

/**
 * Begins the session of this browser. The tokens are kept nowhere in the page.
 *
 * @param refreshToken of the issuer, by which the server renews the session
 * @throws SignInRefused
 */
export async function signIn(token: string, refreshToken?: string): Promise<void> {
  const response = await sent({
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(refreshToken === undefined ? {} : { refreshToken }),
  });
  if (!response.ok) throw await refusalOf(response);
  signedIn((await response.json()) as SignedIn);
}

/** @param isEverywhere all browsers of the person. @throws SignInRefused when the server cannot be reached */
export async function signOut(isEverywhere = false): Promise<void> {
  const response = await sent({ method: 'DELETE' }, isEverywhere ? '?everywhere=true' : '');
  // 401: another tab was quicker, or the session has ended by itself.
  if (!response.ok && response.status !== 401) throw await refusalOf(response);
  signedOut();
}

async function sent(request: RequestInit, query = ''): Promise<Response> {
  return fetch(`${withBase(PATH)}${query}`, request).catch(() => {
    throw new SignInRefused(
      'The server cannot be reached. Check the connection, and try again.',
      'unreachable',
    );
  });
}

async function refusalOf(response: Response): Promise<SignInRefused> {
  const { status } = response;
  const reason = await reasonIn(response);
  if (status === 429) {
    const seconds = Number(response.headers.get('Retry-After') ?? 60);
    return new SignInRefused(
      `Too many wrong tokens came from this address. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
      'too-many',
    );
  }
  if (status === 401 || status === 403) {
    return new SignInRefused(
      reason || `The server answers ${status}.`,
      status === 403 ? 'forbidden' : 'wrong',
    );
  }
  return new SignInRefused(`The server answers ${status}. ${reason}`.trim(), 'unreachable');
}
