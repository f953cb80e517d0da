import { authorization, endSession } from './session';

export type Role = 'viewer' | 'admin';

/** What the server says of itself to everybody, and to who has signed in what he may do (`GET /api/config`). */
export interface PageConfig {
  /** False: whoever reaches the server may do everything, and nobody signs in. */
  authentication: boolean;
  /** Null when people cannot sign in there: then they need a token. */
  oidc: { issuer: string; clientId: string; scope: string } | null;
  /** Of who asks; null for a stranger. */
  role: Role | null;
}

/** Where the issuer sends people back to; the server serves the page there as everywhere. */
export const CALLBACK_PATH = '/sign-in/callback';

/** A session that the server does not take is ended. */
export async function readPageConfig(): Promise<PageConfig> {
  const value = authorization();
  const response = await fetch('/api/config', value === null ? {} : { headers: { authorization: value } });
  if (response.status === 401 && value !== null) {
    endSession('refused', value);
    return readPageConfig();
  }
  if (!response.ok) throw new Error(`The server answers ${response.status}.`);
  return (await response.json()) as PageConfig;
}
