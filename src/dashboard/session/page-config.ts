/** What the server says of itself to everybody (`GET /api/config`). */
export interface PageConfig {
  /** False: whoever reaches the server may do everything, and nobody signs in. */
  authentication: boolean;
  /** Null when people cannot sign in there: then they need a token. */
  oidc: { issuer: string; clientId: string; scope: string } | null;
}

/** Where the issuer sends people back to; the server serves the page there as everywhere. */
export const CALLBACK_PATH = '/sign-in/callback';

export async function readPageConfig(): Promise<PageConfig> {
  const response = await fetch('/api/config');
  if (!response.ok) throw new Error(`The server answers ${response.status}.`);
  return (await response.json()) as PageConfig;
}
