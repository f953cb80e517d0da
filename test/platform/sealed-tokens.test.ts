import { describe, expect, it } from 'vitest';
import { newSecret, seal, unseal } from '../../src/sessions/sealed-tokens.js';

const TOKENS = {
  token: 'a-token',
  refreshToken: 'another',
  origin: 'https://crashes.example',
  receivedAt: 1,
};

describe('the tokens of a session', () => {
  it('come out with the secret with which they were sealed, and with no other', () => {
    const secret = newSecret();
    const sealed = seal(secret, TOKENS);

    expect(unseal(secret, sealed)).toEqual(TOKENS);
    expect(unseal(newSecret(), sealed)).toBeNull();
    expect(seal(secret, TOKENS)).not.toBe(sealed);
    expect(Buffer.from(sealed, 'base64url').includes('a-token')).toBe(false);
  });

  it('do not come out when anything was changed', () => {
    const secret = newSecret();
    const sealed = Buffer.from(seal(secret, TOKENS), 'base64url');

    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8((changed.readUInt8(at) ^ 1) & 255, at);
      expect(unseal(secret, changed.toString('base64url'))).toBeNull();
    }
    for (const length of [0, 10, 28, sealed.length - 1]) {
      expect(unseal(secret, sealed.subarray(0, length).toString('base64url'))).toBeNull();
    }
  });
});
