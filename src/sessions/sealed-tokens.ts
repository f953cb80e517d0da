import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { parseJson } from '../platform/json.js';

/** The tokens with which a person signed in. */
export type SessionTokens = z.infer<typeof schema>;

const schema = z.object({
  /** A static token, or a JWT of the issuer. */
  token: z.string(),
  /** Null where the session ends with its token. */
  refreshToken: z.string().nullable(),
  /** Origin of the page. Some issuers renew the tokens of a page for its origin only. */
  origin: z.string().nullable(),
  /** Milliseconds since 1970 at which `token` was received. */
  receivedAt: z.number(),
});

const CIPHER = 'aes-256-gcm';
const [IV_BYTES, TAG_BYTES, KEY_BYTES] = [12, 16, 32];

/** 256 random bits: the value of the cookie, which only the browser has. */
export function newSecret(): string {
  return randomBytes(KEY_BYTES).toString('base64url');
}

/** @returns base64url of: initialization vector, tag, ciphertext */
export function seal(secret: string, tokens: SessionTokens): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(secret), iv);
  const text = Buffer.concat([cipher.update(JSON.stringify(tokens), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url');
}

/** @returns null when it was not sealed with this secret, or was changed */
export function unseal(secret: string, sealed: string): SessionTokens | null {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length <= IV_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(CIPHER, keyOf(secret), bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return schema.safeParse(parseJson(text.toString('utf8'))).data ?? null;
  } catch {
    return null;
  }
}

/** The digest of the secret is in the database beside the sealed tokens, so the key is another derivation of it. */
function keyOf(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'coredock session tokens', KEY_BYTES));
}
