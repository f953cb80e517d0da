/** The systems whose job tokens are accepted, and what an entry of TRUSTED_PUBLISHERS may demand of them. */
export interface CiProvider {
  readonly name: string;
  /** The issuer of the public instance; an own instance has another one. */
  readonly issuer: string;
  /** Claims that an entry may name. Others would never match, so they are typing errors. */
  readonly claims: ReadonlySet<string>;
  /** Claims that every entry must name. Of each group at least one. */
  readonly needed: ReadonlyArray<readonly string[]>;
  /** Of these, the ones that say whose job it is: ids, because names can be given to somebody else. */
  readonly identity: readonly string[];
  /** Claims that are compared without regard to upper and lower case, as their provider does. */
  readonly anyCase: ReadonlySet<string>;
  /** Claims of the form `FILE@REF`. An entry without `@REF` accepts the file at every ref. */
  readonly files: ReadonlySet<string>;
  /** What is wrong with the value that an entry has for a claim; null when nothing is. */
  problemOf(name: string, value: string): string | null;
  /** What is wrong with the claims of an entry together; null when nothing is. */
  problemOfAll(claims: Readonly<Record<string, string>>): string | null;
}

export type CiProviderName = 'github' | 'gitlab';

/** https://docs.github.com/en/actions/reference/security/oidc */
const GITHUB: CiProvider = {
  name: 'GitHub',
  issuer: 'https://token.actions.githubusercontent.com',
  claims: new Set([
    ...['repository', 'repository_id', 'repository_owner', 'repository_owner_id', 'repository_visibility'],
    ...['ref', 'ref_type', 'ref_protected', 'environment', 'event_name', 'actor', 'actor_id'],
    ...['workflow', 'workflow_ref', 'workflow_sha', 'job_workflow_ref', 'job_workflow_sha'],
    ...['runner_environment', 'enterprise', 'enterprise_id'],
  ]),
  needed: [
    ['repository_id'],
    ['repository_owner_id'],
    ['ref', 'environment'],
    ['workflow_ref', 'job_workflow_ref'],
  ],
  identity: ['repository_id', 'repository_owner_id'],
  anyCase: new Set(['repository', 'repository_owner', 'environment', 'actor']),
  files: new Set(['workflow_ref', 'job_workflow_ref']),
  problemOf(name, value) {
    if (name === 'ref' && !/^refs\/(heads|tags)\/./.test(value)) {
      return 'write it in full: refs/heads/main for a branch, refs/tags/v1 for a tag';
    }
    if (name === 'event_name' && isOfPullRequest(value)) return PULL_REQUEST;
    if (
      this.files.has(name) &&
      !/^[^/@]+\/[^/@]+\/\.github\/workflows\/[^/@]+(@refs\/.+|@[0-9a-f]{40})?$/.test(value)
    ) {
      return 'write OWNER/REPOSITORY/.github/workflows/FILE.yml, and @REF after it if only one ref may upload';
    }
    return null;
  },
  problemOfAll: () => null,
};

/** https://docs.gitlab.com/ci/secrets/id_token_authentication/ */
const GITLAB: CiProvider = {
  name: 'GitLab',
  issuer: 'https://gitlab.com',
  claims: new Set([
    ...['project_id', 'project_path', 'project_visibility', 'namespace_id', 'namespace_path'],
    ...['job_project_id', 'job_project_path', 'job_namespace_id', 'job_namespace_path'],
    ...[
      'ref',
      'ref_type',
      'ref_path',
      'ref_protected',
      'pipeline_source',
      'ci_config_ref_uri',
      'ci_config_sha',
    ],
    ...['environment', 'environment_protected', 'environment_action', 'deployment_tier'],
    ...['user_id', 'user_login', 'user_email', 'user_access_level', 'runner_id', 'runner_environment'],
  ]),
  needed: [['project_id'], ['ref', 'ref_path', 'ref_protected']],
  identity: ['project_id'],
  anyCase: new Set(['project_path', 'namespace_path', 'job_project_path', 'job_namespace_path']),
  files: new Set(['ci_config_ref_uri']),
  problemOf(name, value) {
    if (name === 'ref' && value.startsWith('refs/'))
      return 'GitLab writes it without refs/heads/ or refs/tags/';
    if (name === 'ref_path' && !/^refs\/(heads|tags)\/./.test(value))
      return 'write refs/heads/main or refs/tags/v1';
    if (name === 'ref_protected' && value !== 'true')
      return 'only "true" makes sense here: a protected branch or tag';
    if (name === 'pipeline_source' && isOfMergeRequest(value)) return PULL_REQUEST;
    return null;
  },
  problemOfAll: ({ ref, ref_type, ref_protected }) =>
    ref !== undefined && ref_type === undefined && ref_protected === undefined
      ? `ref_type: it is missing, and a tag may be called "${ref}" too; add "ref_type": "branch" or "tag", or use ref_path`
      : null,
};

export const CI_PROVIDERS: Readonly<Record<CiProviderName, CiProvider>> = { github: GITHUB, gitlab: GITLAB };

const PULL_REQUEST =
  'pull requests and merge requests never upload: their code is of whoever proposes it, before anybody has read it';

/** `pull_request`, and `pull_request_target`, which runs with the ref of the base. */
export function isOfPullRequest(eventName: string): boolean {
  return eventName.startsWith('pull_request');
}

/** Also those of forks, and of pull requests on an external host. */
export function isOfMergeRequest(pipelineSource: string): boolean {
  return pipelineSource === 'merge_request_event' || pipelineSource === 'external_pull_request_event';
}
