import type { JWTPayload } from 'jose';
import { CI_PROVIDERS, isOfMergeRequest, isOfPullRequest } from '../config/ci-providers.js';
import type { TrustedPublisher } from '../config/trusted-publishers.js';
import { DomainError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { audiencesOf, printable } from './claims.js';
import { CLOCK_SKEW_SECONDS } from './issuer.js';
import type { Person } from './principal.js';

/** Longest time from the issue of a job's token to its last use: GitLab gives it the time-out of the job. */
const MAX_AGE_SECONDS = 24 * 60 * 60;

/**
 * Recognises CI jobs by the tokens that their CI has signed for them. A token may be used again until it expires: an
 * upload is repeated after a broken connection, a job may upload several builds, and the same build again changes
 * nothing.
 */
export function createTrustedPublishers(
  publishers: readonly TrustedPublisher[],
  { clock, log }: { clock: Pick<Clock, 'now'>; log: Logger },
) {
  return {
    /**
     * @param claims of a token whose signature, issuer, audience and end have been verified
     * @throws DomainError UNAUTHENTICATED with what is wrong. It tells what the job itself knows; what the settings want
     *   is in the log only, because everybody can get a token of a public CI
     */
    recognise(claims: JWTPayload, until: Date): Person {
      const audiences = audiencesOf(claims);
      const candidates = publishers.filter(
        ({ issuer, audience }) => issuer === claims.iss && audiences.includes(audience),
      );
      const whyNever = ageProblem(claims) ?? reasonAgainst(claims, candidates);
      if (whyNever !== null) throw refused(whyNever, claims, candidates);
      const matching = candidates.filter((publisher) => differences(publisher, claims).length === 0);
      if (matching.length === 0) throw refused(differenceToTell(candidates, claims), claims, candidates);
      return {
        kind: 'uploader',
        name: nameOf(claims),
        via: 'publisher',
        until: earlier(until, endOfAge(claims)),
        models: [...new Set(matching.flatMap(({ models }) => models))],
      };
    },
  };

  function ageProblem({ iat }: JWTPayload): string | null {
    if (iat === undefined) return 'it does not say when it was issued';
    const ageSeconds = clock.now().getTime() / 1000 - iat;
    if (ageSeconds < -CLOCK_SKEW_SECONDS) return 'it was issued in the future';
    return ageSeconds > MAX_AGE_SECONDS + CLOCK_SKEW_SECONDS ? 'it was issued more than a day ago' : null;
  }

  function refused(why: string, claims: JWTPayload, candidates: readonly TrustedPublisher[]): DomainError {
    const differing = candidates.map((publisher) => ({
      models: publisher.models,
      differing: differences(publisher, claims).map((name) => ({
        claim: name,
        wanted: publisher.claims[name],
        found: claimIn(claims, name),
      })),
    }));
    log.warn(
      { job: nameOf(claims), why, publishers: differing },
      'a CI job was refused (TRUSTED_PUBLISHERS)',
    );
    return new DomainError('UNAUTHENTICATED', `This CI job may not upload here: ${why}.`);
  }
}

/** Names of the claims that are not as the publisher's. */
function differences({ provider, claims: wanted }: TrustedPublisher, claims: JWTPayload): string[] {
  const { anyCase, files } = CI_PROVIDERS[provider];
  return Object.entries(wanted)
    .filter(([name, value]) => {
      const found = claimIn(claims, name);
      if (found === null) return true;
      if (files.has(name)) return !isSameFile(value, found);
      return anyCase.has(name) ? value.toLowerCase() !== found.toLowerCase() : value !== found;
    })
    .map(([name]) => name);
}

/** `OWNER/REPOSITORY/PATH@REF`: owners and repositories have no case, and a wanted file without `@` is of any ref. */
function isSameFile(wanted: string, found: string): boolean {
  const [wantedFile, wantedRef] = partsOf(wanted);
  const [foundFile, foundRef] = partsOf(found);
  return wantedFile === foundFile && (wantedRef === null || wantedRef === foundRef);
}

function partsOf(file: string): [path: string, ref: string | null] {
  const at = file.indexOf('@');
  const [path, ref] = at === -1 ? [file, null] : [file.slice(0, at), file.slice(at + 1)];
  const [owner = '', repository = '', ...rest] = path.split('/');
  return [[owner.toLowerCase(), repository.toLowerCase(), ...rest].join('/'), ref];
}

/** What no job of a publisher may be, whatever the settings say: one with code that nobody has accepted yet. */
function reasonAgainst(claims: JWTPayload, candidates: readonly TrustedPublisher[]): string | null {
  const [first] = candidates;
  if (first === undefined) return null;
  return first.provider === 'github' ? againstGitHub(claims) : againstGitLab(claims);
}

function againstGitHub(claims: JWTPayload): string | null {
  const event = claimIn(claims, 'event_name');
  if (event === null) return 'it does not say what event started it';
  if (isOfPullRequest(event)) return `it runs for a pull request ("${printable(event)}")`;
  return claimIn(claims, 'ref')?.startsWith('refs/pull/') === true ? 'it runs for a pull request' : null;
}

function againstGitLab(claims: JWTPayload): string | null {
  const source = claimIn(claims, 'pipeline_source');
  if (source === null) return 'it does not say what started its pipeline';
  if (isOfMergeRequest(source)) return `it runs for a merge request ("${printable(source)}")`;
  // The pipeline of a merge request may have started it. Then it names the source branch, which may be of a fork and
  // have the name of a branch of ours, but it is protected only if branch and fork are.
  if (source === 'parent_pipeline' && claimIn(claims, 'ref_protected') !== 'true') {
    return 'it is of a child pipeline for a ref that is not protected';
  }
  // GitLab from 18.2.2 on names the fork in `project_*`, and in `job_project_*` where the job runs.
  const runsIn = claimIn(claims, 'job_project_id');
  return runsIn !== null && runsIn !== claimIn(claims, 'project_id')
    ? 'it runs for the merge request of a fork'
    : null;
}

/**
 * What a job hears whose claims differ. Whose repository it is comes first, and alone: a stranger learns nothing about
 * the rest.
 */
function differenceToTell(candidates: readonly TrustedPublisher[], claims: JWTPayload): string {
  const differing = candidates.map((publisher) => ({ publisher, names: differences(publisher, claims) }));
  const ofThisRepository = differing.filter(
    ({ publisher, names }) => !CI_PROVIDERS[publisher.provider].identity.some((name) => names.includes(name)),
  );
  const [closest] = ofThisRepository.sort((a, b) => a.names.length - b.names.length);
  if (closest === undefined) {
    const repository = claimIn(claims, 'repository') ?? claimIn(claims, 'project_path');
    return `its repository${repository === null ? '' : ` ${printable(repository)}`} is not trusted`;
  }
  return closest.names.map((name) => told(name, claimIn(claims, name))).join(', and ');
}

function told(name: string, value: string | null): string {
  return value === null
    ? `it has no ${name}`
    : `its ${name} is "${printable(value)}", which is not the trusted one`;
}

/** For the audit: the repository, the ref, and the run in which it can be looked up. */
function nameOf(claims: JWTPayload): string {
  const repository = claimIn(claims, 'repository') ?? claimIn(claims, 'project_path') ?? 'unnamed';
  const run = claimIn(claims, 'run_id') ?? claimIn(claims, 'pipeline_id') ?? '?';
  return printable(`${repository}@${claimIn(claims, 'ref') ?? '?'} run ${run}`);
}

/** All claims of jobs are strings; numbers and booleans are taken for such. */
function claimIn(claims: JWTPayload, name: string): string | null {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function endOfAge({ iat = 0 }: JWTPayload): Date {
  return new Date((iat + MAX_AGE_SECONDS + CLOCK_SKEW_SECONDS) * 1000);
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}
