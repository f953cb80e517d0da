import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { run } from '../support/program.js';

describe('coredock token', () => {
  it('makes a token and its digest for scripts, and says to people what to do with them', async () => {
    const { code, stdout, stderr } = await run(['token']);

    const [token = '', digest, end, ...more] = stdout.split('\n');
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(digest).toBe(`sha256:${createHash('sha256').update(token).digest('hex')}`);
    expect([end, ...more, code]).toEqual(['', 0]);
    expect(stderr).not.toContain(token);
    for (const setting of ['ADMIN_TOKENS', 'UPLOADER_TOKENS', 'VIEWER_TOKENS']) {
      expect(stderr).toContain(`\n  ${setting} `);
    }
  });
});
