import { createHash } from 'node:crypto';

/** Static tokens, and the settings that know them. */
export const ADMIN = 'admin-token-of-the-tests';
export const VIEWER = 'viewer-token-of-the-tests';
export const UPLOADER = 'uploader-token-of-the-tests';

export const STATIC_TOKENS = {
  ADMIN_TOKENS: digestOf(ADMIN),
  VIEWER_TOKENS: digestOf(VIEWER),
};

/** The same, where CI uploads with a token as well. */
export const WITH_UPLOADER = { ...STATIC_TOKENS, UPLOADER_TOKENS: digestOf(UPLOADER) };

function digestOf(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}
