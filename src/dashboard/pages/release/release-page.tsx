import { Link, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { ReleaseOnPageFragment } from '../../generated/graphql';
import { ErrorNotice, Loading } from '../../parts/notices';
import { countText } from '../../parts/sizes';
import { Ago } from '../../parts/time';
import { useTitle } from '../../parts/use-title';
import { NotFoundPage } from '../not-found-page';
import { Adoption } from './adoption';
import { ReleaseFacts } from './release-facts';
import { ReleaseGroups } from './release-groups';
import { Resets } from './resets';

graphql(`
  fragment ReleaseOnPage on Release {
    version firstSeenAt lastHeardAt compareUrl runningDeviceCount silentDeviceCount waitingCoredumpCount
    comparison { verdict reason }
    health { ...HealthOnPage }
    comparedTo { version runningDeviceCount silentDeviceCount health { ...HealthOnPage } }
    model { code name versions(first: 100) { version } }
    firmwares { id chip revision uploadedAt }
    adoption(days: 30) { start deviceCount comparedDeviceCount otherDeviceCount }
    resetDays: resets(days: 30) { start resets { reason kind count } }
    regressed: groups(change: [REGRESSED], first: 50) { ...GroupsOfRelease }
    fresh: groups(change: [NEW], first: 50) { ...GroupsOfRelease }
    remaining: groups(change: [REMAINING], first: 50) { ...GroupsOfRelease }
    gone: groups(change: [GONE], first: 50) { ...GroupsOfRelease }
    unseen: groups(change: [UNSEEN], first: 50) { ...GroupsOfRelease }
  }
`);
const ReleaseByVersion = graphql(`
  query ReleaseByVersion($model: String!, $version: String!, $comparedTo: String) {
    release(modelCode: $model, version: $version, comparedTo: $comparedTo) { ...ReleaseOnPage }
  }
`);

/** A version against the one before: better or worse, and which groups make it so. */
export function ReleasePage({ model, version }: { model: string; version: string }) {
  const [parameters] = useSearchParams();
  const comparedTo = parameters.get('to');
  const { data, error } = useLiveQuery(ReleaseByVersion, { model, version, comparedTo });
  const release = data?.release;
  useTitle(`${model} ${version}`);

  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  if (release == null) return error === undefined ? <NotFoundPage /> : <ErrorNotice error={error} />;
  return (
    <>
      <nav className="crumbs" aria-label="Where this is">
        <Link href="/firmware">Firmware</Link>
        <span aria-hidden="true">/</span>
        <Link href={`/firmware/${encodeURIComponent(model)}`}>{release.model.code}</Link>
        <span aria-hidden="true">/</span>
        <span>{release.version}</span>
      </nav>
      <header className="page-head">
        <h1 className="break">
          {release.model.name} {release.version}
        </h1>
        <ComparedWith release={release} />
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      <Verdict release={release} />
      <div className="release-columns">
        <ReleaseFacts release={release} />
        <div>
          <Adoption release={release} />
          <Resets release={release} />
        </div>
      </div>
      <ReleaseGroups release={release} />
    </>
  );
}

const WORDS: Record<string, string> = {
  BETTER: 'Better',
  WORSE: 'Worse',
  SIMILAR: 'No clear difference',
  UNKNOWN: 'Not known',
};

/** What somebody wants to know first. */
function Verdict({ release }: { release: ReleaseOnPageFragment }) {
  const { comparison, comparedTo, waitingCoredumpCount, regressed, fresh } = release;
  const than = comparedTo == null ? '' : ` than ${comparedTo.version}`;
  const hasThan = comparison.verdict === 'BETTER' || comparison.verdict === 'WORSE';
  return (
    <section className="card release-verdict" data-verdict={comparison.verdict} aria-labelledby="verdict">
      <h2 id="verdict">
        {WORDS[comparison.verdict] ?? 'Not known'}
        {hasThan && than}
      </h2>
      <p>{comparison.reason}</p>
      <p>
        {countText(fresh.totalCount, 'new group')} · {countText(regressed.totalCount, 'regression')}
        {waitingCoredumpCount > 0 && (
          <>
            {' · '}
            <Link
              href={`/dumps?${new URLSearchParams({ model: release.model.code, version: release.version, status: 'waiting' })}`}
            >
              {countText(waitingCoredumpCount, 'dump')} waiting for a build
            </Link>
          </>
        )}
      </p>
      {release.health.unknownBecause === 'NO_BOOT_REPORTS' && (
        <p className="hint">
          Boot reports tell how many devices run a version. The component for ESP-IDF sends them unless{' '}
          <code>skip_boot_report</code> is set; other devices send <code>POST /api/iot/boot</code>.
        </p>
      )}
    </section>
  );
}

/** The version to compare with; the address has it, so that a link shows the same. */
function ComparedWith({ release }: { release: ReleaseOnPageFragment }) {
  const [, setParameters] = useSearchParams();
  const { comparedTo, model, version, compareUrl, firmwares } = release;
  const others = model.versions.filter((each) => each.version !== version);
  return (
    <span className="count release-compared">
      {others.length > 0 && (
        <label className="labelled">
          <span>Compared with</span>
          <select
            value={comparedTo?.version ?? ''}
            onChange={({ target }) => setParameters({ to: target.value }, { replace: true })}
          >
            {comparedTo == null && <option value="">nothing</option>}
            {others.map((each) => (
              <option key={each.version} value={each.version}>
                {each.version}
              </option>
            ))}
          </select>
        </label>
      )}
      {compareUrl != null && (
        <a href={compareUrl} rel="noreferrer" target="_blank">
          changes in the sources
        </a>
      )}
      {firmwares[0] !== undefined && (
        <span>
          {countText(firmwares.length, 'build')}, the newest <Ago at={firmwares[0].uploadedAt} />
        </span>
      )}
    </span>
  );
}
