import { createHash } from 'node:crypto';

/** Static tokens, and the settings that know them. */
export const ADMIN = 'admin-token-of-the-tests';
export const VIEWER = 'viewer-token-of-the-tests';

export const STATIC_TOKENS = {
  ADMIN_TOKENS: digestOf(ADMIN),
  VIEWER_TOKENS: digestOf(VIEWER),
};

function digestOf(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}
