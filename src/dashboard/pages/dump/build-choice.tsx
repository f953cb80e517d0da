import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import { ErrorNotice, Loading } from '../../parts/notices';
import { Ago } from '../../parts/time';

const BuildsToChoose = graphql(`
  query BuildsToChoose($code: String!, $filter: FirmwareFilter) {
    deviceModel(code: $code) {
      id firmwares(first: 30, filter: $filter) { totalCount nodes { id version elfVersion chip elfSha256 uploadedAt } }
    }
  }
`);

/**
 * The builds of a model, of which a form's field `build` is one.
 *
 * @param otherwise names the choice of none, whose value is empty; without it a build must be chosen
 */
export function BuildChoice({ modelCode, otherwise }: { modelCode: string; otherwise?: string }) {
  const [words, setWords] = useState('');
  const [{ data, fetching, error }] = useQuery({
    query: BuildsToChoose,
    variables: { code: modelCode, filter: words.trim() === '' ? null : { search: words } },
  });
  const builds = data?.deviceModel?.firmwares.nodes ?? [];
  return (
    <>
      <input
        type="search"
        className="narrow-search"
        aria-label="Find a build"
        placeholder="Version, chip or SHA-256"
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      <fieldset className="choices">
        <legend className="visually-hidden">Build</legend>
        {otherwise !== undefined && (
          <label>
            <input type="radio" name="build" value="" defaultChecked /> {otherwise}
          </label>
        )}
        {builds.map(({ id, version, elfVersion, chip, elfSha256, uploadedAt }) => (
          <label key={id}>
            <input type="radio" name="build" value={id} required /> <span className="mono">{version}</span>
            {elfVersion != null && elfVersion !== version && <> (ELF says {elfVersion})</>}{' '}
            <span className="count">
              {chip ?? 'chip unknown'} · <span className="mono">{elfSha256.slice(0, 12)}…</span> ·{' '}
              <Ago at={uploadedAt} />
            </span>
          </label>
        ))}
        {fetching && builds.length === 0 && <Loading />}
        {error !== undefined && <ErrorNotice error={error} />}
        {data !== undefined && !fetching && builds.length === 0 && (
          <p className="count">No build of {modelCode} matches.</p>
        )}
      </fieldset>
    </>
  );
}
