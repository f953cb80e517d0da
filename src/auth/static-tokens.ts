import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { StaticTokens } from '../config/settings.js';
import type { Person, Role } from './principal.js';

/** 256 random bits in characters that are safe in headers, URLs and shells. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Compares with every digest in constant time, so that the duration reveals nothing about the tokens. */
export function createStaticTokens({ admin, uploader, viewer }: StaticTokens) {
  const digestsOf = (kind: Role, digests: readonly string[]) =>
    digests.map((digest) => ({ kind, digest: Buffer.from(digest, 'hex') }));
  const known = [
    ...digestsOf('admin', admin),
    ...digestsOf('viewer', viewer),
    ...digestsOf('uploader', uploader),
  ];
  return {
    find(token: string): Person | null {
      const presented = createHash('sha256').update(token).digest();
      const matches = known.filter(({ digest }) => timingSafeEqual(digest, presented));
      const [match] = matches;
      if (match === undefined) return null;
      // The first bytes of the digest identify the token for administrators who have the settings, and are useless to
      // others.
      return {
        kind: match.kind,
        name: `token ${presented.toString('hex', 0, 4)}`,
        via: 'token',
        until: null,
      };
    },
  };
}
