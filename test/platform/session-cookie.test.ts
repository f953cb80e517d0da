import { describe, expect, it } from 'vitest';
import { createSessionCookie } from '../../src/platform/http/session-cookie.js';

const SECRET = 'x'.repeat(43);
const INSTALLATION = '0123abcd-0000-4000-8000-000000000000';

describe('the cookie of a session', () => {
  it('is found among others, by the name of this installation only', () => {
    const cookie = createSessionCookie({ installation: INSTALLATION, basePath: '' });
    const read = (text: string) => cookie.read({ headers: { cookie: text } }, { isSecure: false });

    expect(read(`a=b; coredock_0123abcd=${SECRET}; c=d`)).toBe(SECRET);
    expect(read(`coredock_99999999=${SECRET}`)).toBeUndefined();
    expect(read(`xcoredock_0123abcd=${SECRET}`)).toBeUndefined();
    expect(read('coredock_0123abcd=short')).toBeUndefined();
    expect(read(`coredock_0123abcd=${SECRET}"; DROP`)).toBeUndefined();
    expect(cookie.read({ headers: {} }, { isSecure: false })).toBeUndefined();
  });

  it('of https comes before one that somebody else may have set', () => {
    const cookie = createSessionCookie({ installation: INSTALLATION, basePath: '' });
    const planted = 'y'.repeat(43);

    const both = { cookie: `coredock_0123abcd=${planted}; __Host-coredock_0123abcd=${SECRET}` };

    expect(cookie.read({ headers: both }, { isSecure: false })).toBe(SECRET);
    const alone = { cookie: `coredock_0123abcd=${planted}` };
    expect(cookie.read({ headers: alone }, { isSecure: false })).toBe(planted);
    expect(cookie.read({ headers: alone }, { isSecure: true })).toBeUndefined();
  });

  it('is removed under each name that it may have', () => {
    const atRoot = createSessionCookie({ installation: INSTALLATION, basePath: '' });
    const below = createSessionCookie({ installation: INSTALLATION, basePath: '/coredock' });

    expect(atRoot.remove()).toEqual([
      'coredock_0123abcd=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0',
      '__Host-coredock_0123abcd=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure',
    ]);
    expect(below.remove()).toEqual([
      'coredock_0123abcd=; Path=/coredock; HttpOnly; SameSite=Strict; Max-Age=0',
    ]);
  });
});
