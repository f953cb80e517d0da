import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError, readConfig } from '../../src/config/settings.js';

const ADMIN_TOKENS = `sha256:${'ab'.repeat(32)}`;
const WORKFLOW = 'acme/thermostat/.github/workflows/release.yml';
const GITHUB = {
  provider: 'github',
  models: ['thermostat'],
  audience: 'https://coredock.example.org',
  claims: {
    repository_id: '700100200',
    repository_owner_id: '4242',
    ref: 'refs/heads/main',
    workflow_ref: `${WORKFLOW}@refs/heads/main`,
  },
};
const GITLAB = {
  provider: 'gitlab',
  models: ['thermostat'],
  audience: 'https://coredock.example.org',
  claims: { project_id: '20', ref_protected: 'true' },
};

function read(publishers: unknown, environment: Record<string, string> = {}) {
  const TRUSTED_PUBLISHERS = typeof publishers === 'string' ? publishers : JSON.stringify(publishers);
  return readConfig({ ADMIN_TOKENS, TRUSTED_PUBLISHERS, ...environment }).auth.trustedPublishers;
}

function problemsOf(publishers: unknown, environment: Record<string, string> = {}): readonly string[] {
  try {
    read(publishers, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

type Wrong = [what: string, publishers: unknown, problem: string | RegExp];

const withClaims = (entry: typeof GITHUB | typeof GITLAB, claims: object) => [
  { ...entry, claims: { ...entry.claims, ...claims } },
];

const WRONG: Wrong[] = [
  [
    'a file that is not there',
    '/nowhere/publishers.json',
    /^TRUSTED_PUBLISHERS: the file "\/nowhere\/publishers.json" cannot be read: ENOENT/,
  ],
  ['broken JSON', '[{"provider": "github",]', /^TRUSTED_PUBLISHERS: it is not JSON: /],
  [
    'no object',
    [17],
    'TRUSTED_PUBLISHERS: entry 1, it is not an object with the fields provider, models, issuer, audience, claims',
  ],
  [
    'an unknown provider',
    [{ ...GITHUB, provider: 'gitea' }],
    'TRUSTED_PUBLISHERS: entry 1 (thermostat), provider: it is "github" or "gitlab"',
  ],
  [
    'a misspelt field',
    [GITLAB, { ...GITHUB, audiences: [] }],
    /^TRUSTED_PUBLISHERS: entry 2 \(thermostat\), audiences: there is no such field; the fields are provider, /,
  ],
  ['no model', [{ ...GITHUB, models: [] }], 'TRUSTED_PUBLISHERS: entry 1, models: it names no model'],
  [
    'a model that can be none',
    [{ ...GITHUB, models: ['Thermo Stat'] }],
    /entry 1 \(Thermo Stat\), models\.0: it is not the code of a model: 1 to 32 of a-z, 0-9 and _$/,
  ],
  [
    'no audience',
    [{ ...GITHUB, audience: undefined }],
    /entry 1 \(thermostat\), audience: it is missing: a text that only your jobs ask for/,
  ],
  [
    "GitHub's own audience",
    [{ ...GITHUB, audience: 'https://github.com/acme' }],
    /audience: "https:\/\/github.com\/acme" is what GitHub puts into tokens for everybody; use one of your own/,
  ],
  [
    'an issuer that is no URL',
    [{ ...GITHUB, issuer: 'github' }],
    /issuer: it is not an http:\/\/ or https:\/\/ URL$/,
  ],

  [
    'sub',
    withClaims(GITHUB, { sub: 'repo:acme/thermostat:ref:refs/heads/main' }),
    /claims\.sub: it is not compared, because its form varies/,
  ],
  [
    'the audience among the claims',
    withClaims(GITHUB, { aud: 'x' }),
    /claims\.aud: this is the field "audience" of the entry$/,
  ],
  [
    'a claim that no token has',
    withClaims(GITHUB, { repo_id: '1' }),
    /claims\.repo_id: GitHub's job tokens have no such claim$/,
  ],
  [
    'an empty value',
    withClaims(GITHUB, { repository_owner_id: '' }),
    /claims\.repository_owner_id: it is empty$/,
  ],
  [
    'a name for an id',
    withClaims(GITHUB, { repository_id: 'acme/thermostat' }),
    /claims\.repository_id: "acme\/thermostat": it is a number, and not a name$/,
  ],
  // No token ever has it: the settings would be accepted, and every job refused.
  [
    'a wildcard in a ref',
    withClaims(GITHUB, { ref: 'refs/tags/v*' }),
    /claims\.ref: "refs\/tags\/v\*": claims are compared letter by letter, and "\*" stands for nothing else/,
  ],
  [
    'a wildcard in a file',
    withClaims(GITHUB, { workflow_ref: `${WORKFLOW}@refs/tags/*` }),
    /claims\.workflow_ref: ".*\*": claims are compared letter by letter/,
  ],
  [
    'a short ref',
    withClaims(GITHUB, { ref: 'main' }),
    /claims\.ref: "main": write it in full: refs\/heads\/main for a branch/,
  ],
  ['the ref of a pull request', withClaims(GITHUB, { ref: 'refs/pull/7/merge' }), /claims\.ref: /],
  [
    'pull requests',
    withClaims(GITHUB, { event_name: 'pull_request_target' }),
    /claims\.event_name: "pull_request_target": pull requests and merge requests never upload/,
  ],
  [
    'a bare file',
    withClaims(GITHUB, { workflow_ref: 'release.yml' }),
    /claims\.workflow_ref: "release.yml": write OWNER\/REPOSITORY\/\.github\/workflows\/FILE\.yml/,
  ],
  [
    'no repository',
    withClaims(GITHUB, { repository_id: undefined }),
    /claims\.repository_id: it is missing$/,
  ],
  [
    'no owner',
    withClaims(GITHUB, { repository_owner_id: undefined }),
    /claims\.repository_owner_id: it is missing$/,
  ],
  ['any ref', withClaims(GITHUB, { ref: undefined }), /claims\.ref or environment: it is missing$/],
  [
    'any workflow',
    withClaims(GITHUB, { workflow_ref: undefined }),
    /claims\.workflow_ref or job_workflow_ref: it is missing$/,
  ],

  ['any project', withClaims(GITLAB, { project_id: undefined }), /claims\.project_id: it is missing$/],
  [
    'any ref of GitLab',
    withClaims(GITLAB, { ref_protected: undefined }),
    /claims\.ref or ref_path or ref_protected: it is missing$/,
  ],
  [
    'refs that are not protected',
    withClaims(GITLAB, { ref_protected: false }),
    /claims\.ref_protected: "false": only "true" makes sense here/,
  ],
  [
    'a branch that may be a tag',
    withClaims(GITLAB, { ref: 'main', ref_protected: undefined }),
    /claims\.ref_type: it is missing, and a tag may be called "main" too/,
  ],
  [
    'a long ref',
    withClaims(GITLAB, { ref: 'refs/heads/main' }),
    /claims\.ref: "refs\/heads\/main": GitLab writes it without/,
  ],
  [
    'merge requests',
    withClaims(GITLAB, { pipeline_source: 'merge_request_event' }),
    /claims\.pipeline_source: .*never upload/,
  ],
];

describe('TRUSTED_PUBLISHERS', () => {
  it('is a JSON file, or its content', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coredock-publishers-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'publishers.json');
    await writeFile(file, JSON.stringify([GITHUB, GITLAB], null, 2));

    expect(read(file)).toEqual([
      { ...GITHUB, issuer: 'https://token.actions.githubusercontent.com' },
      { ...GITLAB, issuer: 'https://gitlab.com' },
    ]);
    expect(read(` [${JSON.stringify(GITHUB)}]`)).toEqual(read([GITHUB]));
  });

  it('names the issuer of an own instance', () => {
    const issuers = ['https://github.acme.example/_services/token', 'https://gitlab.acme.example'];

    expect(
      read([
        { ...GITHUB, issuer: issuers[0] },
        { ...GITLAB, issuer: issuers[1] },
      ]),
    ).toMatchObject([{ issuer: issuers[0] }, { issuer: issuers[1] }]);
  });

  it('has ids as numbers too, as people copy them', () => {
    const [publisher] = read([{ ...GITLAB, claims: { project_id: 20, ref_protected: true } }]);

    expect(publisher?.claims).toEqual({ project_id: '20', ref_protected: 'true' });
  });

  it.each(WRONG)('is refused in one line with %s', (_, publishers, problem) => {
    const problems = problemsOf(publishers);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
    expect(problems[0]).not.toContain('\n');
  });

  it('is refused with one line for each problem, which names the entry', () => {
    const wrong = { ...GITHUB, claims: { sub: 'x', repository_id: '1', workflow_ref: WORKFLOW } };

    expect(problemsOf([GITHUB, wrong])).toEqual([
      expect.stringMatching(/^TRUSTED_PUBLISHERS: entry 2 \(thermostat\), claims\.sub: /),
      'TRUSTED_PUBLISHERS: entry 2 (thermostat), claims.repository_owner_id: it is missing',
      'TRUSTED_PUBLISHERS: entry 2 (thermostat), claims.ref or environment: it is missing',
    ]);
  });

  it('and UPLOADER_TOKENS turn authentication on, and so need an admin', () => {
    const problem =
      /^ADMIN_TOKENS: with (UPLOADER_TOKENS|TRUSTED_PUBLISHERS) everybody needs a token, and no admin has one/;

    for (const setting of [
      { TRUSTED_PUBLISHERS: JSON.stringify([GITHUB]) },
      { UPLOADER_TOKENS: ADMIN_TOKENS },
    ]) {
      expect(() => readConfig({ ...setting, VIEWER_TOKENS: ADMIN_TOKENS })).toThrow(problem);
      expect(readConfig({ ...setting, ADMIN_TOKENS, HOST: '0.0.0.0' }).host).toBe('0.0.0.0');
    }
  });

  it('has another audience than the people of the same issuer', () => {
    const issuer = 'https://gitlab.acme.example';
    const oidc = { OIDC_ISSUER: issuer, OIDC_AUDIENCE: GITLAB.audience };

    expect(problemsOf([{ ...GITLAB, issuer }], oidc)).toEqual([
      'TRUSTED_PUBLISHERS: for OIDC_ISSUER the audience of CI jobs must differ from OIDC_AUDIENCE, that of people',
    ]);
    expect(problemsOf([{ ...GITLAB, issuer }], { ...oidc, OIDC_AUDIENCE: 'page' })).toEqual([]);
  });

  it('is the name of the setting', () => {
    expect(() => readConfig({ TRUSTED_PUBLISHER: '[]' })).toThrow(
      'TRUSTED_PUBLISHER: there is no such setting',
    );
    expect(() => readConfig({ UPLOADER_TOKEN: '', UPLOADER_TOKENS_FILE: 'x' })).toThrow(
      'there is no such setting',
    );
  });
});
