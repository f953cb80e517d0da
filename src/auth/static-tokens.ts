import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { StaticTokens } from '../config/settings.js';
import type { Person } from './principal.js';

/** 256 random bits in a form that fits into headers, URLs and shells. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Compares with every digest in constant time, so that how long it takes tells nothing of where a token stands. */
export function createStaticTokens({ admin, viewer }: StaticTokens) {
  const known = [
    ...admin.map((digest) => ({ kind: 'admin' as const, digest: Buffer.from(digest, 'hex') })),
    ...viewer.map((digest) => ({ kind: 'viewer' as const, digest: Buffer.from(digest, 'hex') })),
  ];
  return {
    find(token: string): Person | null {
      const presented = createHash('sha256').update(token).digest();
      const matches = known.filter(({ digest }) => timingSafeEqual(digest, presented));
      const [match] = matches;
      if (match === undefined) return null;
      // The digest's beginning names the token to who has the settings, and helps nobody else.
      return {
        kind: match.kind,
        name: `token ${presented.toString('hex', 0, 4)}`,
        via: 'token',
        until: null,
      };
    },
  };
}
