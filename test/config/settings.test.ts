import { describe, expect, it } from 'vitest';
import { SETTING_NAMES } from '../../src/config/schema.js';
import { ConfigError, readConfig } from '../../src/config/settings.js';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('settings', () => {
  it('have the defaults of the contract', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      databaseUrl: 'file:./data/coredock.db',
      coredumpsDir: './data/coredumps',
      assetsDir: './data/firmware',
      parser: null,
      parseTimeoutMs: 30_000,
      maxCoredumps: 20,
      maxCoredumpBytes: 1_048_576,
      maxFirmwares: 20,
      maxFirmwareBytes: 67_108_864,
      logLevel: 'info',
    });
  });

  it('report every problem at once, a line each, naming setting and value', () => {
    const problems = problemsOf({
      PORT: 'http',
      MAX_COREDUMPS: '-1',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://x',
    });

    expect(problems).toHaveLength(4);
    expect(problems).toEqual(
      expect.arrayContaining([
        'PORT: "http" is not a whole number from 0 to 65535',
        'MAX_COREDUMPS: "-1" is not a whole number from 1 to 1000000',
        'LOG_LEVEL: "loud" is not one of trace, debug, info, warn, error, fatal, silent',
      ]),
    );
  });

  it.each(['1e3', '0x10', ' 5', '5 ', '9'.repeat(400), '1.5', 'NaN'])('refuse %j as a number', (value) => {
    expect(problemsOf({ MAX_COREDUMPS: value })).toHaveLength(1);
  });

  it('take an empty value for an unset one', () => {
    expect(readConfig({ PORT: '', PARSE_SIDECAR_URL: '' }).port).toBe(4000);
  });

  it('name a setting of ours that does not exist, and leave other programs’ alone', () => {
    expect(problemsOf({ PARSE_CONCURENCY: '2', ADMIN_TOKEN: 'x', PATH: '/bin', PARSER: 'x' })).toEqual([
      'PARSE_CONCURENCY: there is no such setting',
      'ADMIN_TOKEN: there is no such setting',
    ]);
  });

  it('take either database, and tell nobody its password', () => {
    const databaseUrl = 'postgresql://coredock:secret@db/coredock?sslmode=require';
    expect(readConfig({ DATABASE_URL: databaseUrl })).toMatchObject({
      databaseUrl,
      databasePoolSize: 10,
      databaseStatementTimeoutMs: 30_000,
    });

    const [problem] = problemsOf({ DATABASE_URL: 'postgres:/coredock:secret@db/coredock' });
    expect(problem).toMatch(/^DATABASE_URL: it is neither file:PATH nor postgresql:/);
    expect(problem).not.toContain('secret');
  });

  it('take a mail server, and demand TLS unless it is this machine', () => {
    const smtpOf = (url: string) => readConfig({ SMTP_URL: url, SMTP_FROM: 'Core <a@example.org>' }).smtp;

    expect(smtpOf('smtp://me:a%40b@mail.example.org')).toEqual({
      ...{ host: 'mail.example.org', port: 587, encryption: 'STARTTLS' },
      ...{ credentials: { user: 'me', password: 'a@b' }, from: { name: 'Core', address: 'a@example.org' } },
    });
    expect(smtpOf('smtps://mail.example.org:1465')).toMatchObject({
      ...{ port: 1465, encryption: 'TLS', credentials: null },
    });
    for (const host of ['localhost', '127.0.0.1', '[::1]'])
      expect(smtpOf(`smtp://${host}:25`)).toMatchObject({ port: 25, encryption: 'NONE' });
    expect(readConfig({}).smtp).toBeNull();
  });

  it.each([
    'mail.example.org',
    'http://mail.example.org',
    'smtp://',
    'smtp://me:secret@mail.example.org/path',
    'smtp://me:secret@mail.example.org?tls=none',
    'smtp://:secret@mail.example.org',
    'smtp://me:%zz-secret@mail.example.org',
  ])('refuse %s as a mail server, without its password', (url) => {
    const problems = problemsOf({ SMTP_URL: url, SMTP_FROM: 'a@example.org' });

    expect(problems).toEqual([expect.stringMatching(/^SMTP_URL: it is neither smtp:/)]);
    expect(problems[0]).not.toContain('secret');
  });

  it('need a mail server and a sender, or neither', () => {
    expect(problemsOf({ SMTP_URL: 'smtp://mail.example.org' })).toEqual([
      expect.stringMatching(/^SMTP_FROM: it is missing/),
    ]);
    expect(problemsOf({ SMTP_FROM: 'a@example.org' })).toEqual([
      expect.stringMatching(/^SMTP_URL: it is missing/),
    ]);
    for (const from of ['nobody', 'a@x.org, b@x.org', 'A <a@x.org> <b@x.org>', 'a@x.org\r\nBcc: b@x.org'])
      expect(problemsOf({ SMTP_URL: 'smtp://mail.example.org', SMTP_FROM: from })[0]).toMatch(
        /^SMTP_FROM: .*not a mail address/s,
      );
  });

  it('refuse what only Prisma would read from a database URL', () => {
    expect(problemsOf({ DATABASE_URL: 'postgresql://db/x?connection_limit=5' })[0]).toContain(
      'DATABASE_POOL_SIZE',
    );
  });

  it('need both halves of the parser', () => {
    expect(readConfig({ PARSE_SIDECAR_URL: 'http://127.0.0.1:8081' }).parser).toBeNull();
    expect(readConfig({ PARSE_SIDECAR_XFER_DIR: '/tmp/x' }).parser).toBeNull();
    expect(problemsOf({ PARSE_SIDECAR_URL: 'ftp://x' })).toHaveLength(1);
  });

  it('put dumps and firmware into a bucket when one is named', () => {
    expect(readConfig({}).s3).toBeNull();
    expect(readConfig({ S3_BUCKET: 'dumps', S3_REGION: 'eu-central-1' }).s3).toEqual({
      bucket: 'dumps',
      endpoint: null,
      region: 'eu-central-1',
      credentials: null,
      forcePathStyle: false,
    });
    const keys = { S3_ACCESS_KEY_ID: 'id', S3_SECRET_ACCESS_KEY: 'secret' };
    const own = { S3_BUCKET: 'dumps', S3_ENDPOINT: 'http://minio:9000', ...keys };
    expect(readConfig(own).s3).toMatchObject({
      endpoint: 'http://minio:9000',
      region: 'us-east-1',
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
      forcePathStyle: true,
    });
    expect(readConfig({ ...own, S3_FORCE_PATH_STYLE: 'false' }).s3?.forcePathStyle).toBe(false);
  });

  it('refuse a bucket that they tell half of', () => {
    expect(problemsOf({ S3_BUCKET: 'Dumps' })[0]).toContain('"Dumps" is not the name of a bucket');
    expect(problemsOf({ S3_ENDPOINT: 'http://minio:9000' })).toEqual([
      'S3_ENDPOINT: does nothing without S3_BUCKET; set that too, or unset this',
    ]);
    expect(problemsOf({ S3_BUCKET: 'dumps', S3_ENDPOINT: 'minio:9000' })[0]).toContain('S3_ENDPOINT');
    expect(problemsOf({ S3_BUCKET: 'dumps', S3_SECRET_ACCESS_KEY: 'x' })[0]).toMatch(
      /^S3_ACCESS_KEY_ID: is missing/,
    );
    expect(problemsOf({ S3_BUCKET: 'dumps', S3_SECRET_KEY: 'x' })).toEqual([
      'S3_SECRET_KEY: there is no such setting',
    ]);
  });

  it.each(['0.0.0.0', '::', '192.168.1.5', 'coredock.example', '127.evil.example'])(
    'refuse to listen on %s without authentication unless told so',
    (host) => {
      expect(problemsOf({ HOST: host })[0]).toContain('ALLOW_UNAUTHENTICATED=true');
      expect(readConfig({ HOST: host, ALLOW_UNAUTHENTICATED: 'true' }).host).toBe(host);
    },
  );

  it('turn authentication on by an issuer or by tokens, which is enough for any address', () => {
    const digest = 'ab'.repeat(32);

    expect(readConfig({}).auth).toEqual({
      issuer: null,
      tokens: { admin: [], uploader: [], viewer: [] },
      trustedPublishers: [],
    });
    expect(
      readConfig({
        HOST: '0.0.0.0',
        ADMIN_TOKENS: `sha256:${digest}, sha256:${'CD'.repeat(32)}`,
        VIEWER_TOKENS: `sha256:${digest}`,
      }).auth.tokens,
    ).toEqual({ admin: [digest, 'cd'.repeat(32)], uploader: [], viewer: [digest] });
    expect(
      readConfig({ HOST: '::', OIDC_ISSUER: 'https://id.example/realms/x', OIDC_AUDIENCE: 'coredock' }).auth
        .issuer,
    ).toEqual({ url: 'https://id.example/realms/x', audience: 'coredock', rolesClaim: 'realm_access.roles' });
  });

  it.each(['my-secret-token', 'sha256:123', `sha256:${'ab'.repeat(32)},`, ',', `md5:${'ab'.repeat(32)}`])(
    'refuse %j as a digest without repeating it, since it may be a token',
    (value) => {
      const [problem] = problemsOf({ ADMIN_TOKENS: value });

      expect(problem).toMatch(/^ADMIN_TOKENS: .*coredock token/);
      expect(problem).not.toContain('my-secret-token');
    },
  );

  it('want issuer and audience together', () => {
    expect(problemsOf({ OIDC_ISSUER: 'https://id.example' })[0]).toMatch(/^OIDC_AUDIENCE/);
    expect(problemsOf({ OIDC_AUDIENCE: 'coredock' })[0]).toMatch(/^OIDC_ISSUER/);
    expect(problemsOf({ OIDC_CLIENT_ID: 'page' })[0]).toMatch(/^OIDC_ISSUER/);
    expect(problemsOf({ OIDC_ISSUER: 'id.example', OIDC_AUDIENCE: 'coredock' })[0]).toMatch(/^OIDC_ISSUER/);
  });

  it('take a public address with or without a path, and hosts without ports', () => {
    expect(readConfig({})).toMatchObject({ publicUrl: null, allowedHosts: [] });
    expect(
      readConfig({
        PUBLIC_URL: 'https://Crashes.example.org/',
        ALLOWED_HOSTS: 'coredock.lan, 192.168.1.10,::1, [fd00::1]',
      }),
    ).toMatchObject({
      publicUrl: 'https://crashes.example.org',
      allowedHosts: ['coredock.lan', '192.168.1.10', '::1', '[fd00::1]'],
    });
  });

  it.each([
    ['https://Example.org/Coredock/', 'https://example.org/Coredock'],
    ['https://example.org/tools/coredock-1.0', 'https://example.org/tools/coredock-1.0'],
    ['http://[::1]:8080/~crashes', 'http://[::1]:8080/~crashes'],
  ])('take %j as the public address, without the slash at its end', (value, publicUrl) => {
    expect(readConfig({ PUBLIC_URL: value })).toMatchObject({ publicUrl });
  });

  it('know where links lead: the public address, or the listening one on loopback', () => {
    const token = { ADMIN_TOKENS: `sha256:${'a'.repeat(64)}` };

    expect(readConfig({}).pageUrl).toBe('http://127.0.0.1:4000');
    expect(readConfig({ HOST: '::1', PORT: '80' }).pageUrl).toBe('http://[::1]:80');
    expect(readConfig({ PUBLIC_URL: 'https://x/coredock/' }).pageUrl).toBe('https://x/coredock');
    expect(readConfig({ HOST: '0.0.0.0', ...token }).pageUrl).toBeNull();
    expect(readConfig({ PORT: '0' }).pageUrl).toBeNull();
  });

  it.each(['api', 'assets/x', 'graphql/', 'readyz'])('refuse a public address below /%s', (path) => {
    expect(problemsOf({ PUBLIC_URL: `https://x/${path}` })).toEqual([
      expect.stringMatching(/^PUBLIC_URL: .*itself uses.*such as https:/),
    ]);
  });

  it.each([
    'crashes.example.org',
    'ftp://x',
    'https://x/core dock',
    'https://x//coredock',
    'https://x/core%2fdock',
    'https://x/<b>',
    'https://x/?a',
    'https://x/#a',
    'https://user:pw@x',
  ])('refuse %j as the public address', (value) => {
    expect(problemsOf({ PUBLIC_URL: value })).toEqual([expect.stringMatching(/^PUBLIC_URL: .*https:/)]);
  });

  it.each([
    'http://coredock.lan',
    'coredock.lan:4000',
    '[::1]:4000',
    '*',
    '*.lan',
    'a b',
    'a,',
    'a/b',
    'a@b',
  ])('refuse %j as a host name', (value) => {
    expect(problemsOf({ ALLOWED_HOSTS: value })).toEqual([
      expect.stringMatching(/^ALLOWED_HOSTS: .*coredock\.lan/),
    ]);
  });

  it('name a misspelt one of them', () => {
    expect(problemsOf({ ALLOWED_HOST: 'x' })).toEqual(['ALLOWED_HOST: there is no such setting']);
  });

  it('are listed in docs/configuration.md, each one', async () => {
    const { readFile } = await import('node:fs/promises');
    const document = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

    for (const name of SETTING_NAMES) expect(document, name).toContain(`\`${name}\``);
  });
});
