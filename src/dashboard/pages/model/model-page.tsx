import { useContext } from 'react';
import { Link, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import { CodeBlock } from '../../parts/code-block';
import { uploadCommand } from '../../parts/command-examples';
import { MissingFirmware } from '../../parts/missing-firmware';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { countText } from '../../parts/sizes';
import { useTitle } from '../../parts/use-title';
import { AuthenticationContext, ForAdmins } from '../../session/role';
import { NotFoundPage } from '../not-found-page';
import { BuildTable } from './build-table';
import { ModelLinks } from './links';
import { ModelActions } from './model-actions';
import { ModelAdoption } from './model-adoption';
import { OwnCode } from './own-code';
import { Privacy } from './privacy';
import { UploadArea } from './upload-area';

const ModelByCode = graphql(`
  query ModelByCode($code: String!, $after: String) {
    deviceModel(code: $code) {
      ...ModelOnPage
      ...OwnCodeOnPage
      deviceCount silentDeviceCount
      adoption(days: 30) { start versions { version deviceCount } }
      firmwares(first: 50, after: $after) {
        totalCount
        nodes { ...BuildInList }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

/** A model's firmware: uploads of builds, and the number of dumps for each build. */
export function ModelPage({ code }: { code: string }) {
  const isClosed = useContext(AuthenticationContext);
  const [parameters] = useSearchParams();
  const { data, error } = useLiveQuery(ModelByCode, { code, after: parameters.get('after') });
  const model = data?.deviceModel;
  useTitle(model?.name ?? code);

  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  if (model == null) return <NotFoundPage />;
  const { nodes, totalCount, pageInfo } = model.firmwares;
  return (
    <>
      <nav className="crumbs" aria-label="Where this is">
        <Link href="/firmware">Firmware</Link>
        <span aria-hidden="true">/</span>
        <span>{model.code}</span>
      </nav>
      <header className="page-head">
        <h1>{model.name}</h1>
        <span className="count">
          <span className="mono">{model.code}</span> · {countText(model.deviceCount, 'device')} ·{' '}
          {countText(totalCount, 'build')} ·{' '}
          {model.silentDeviceCount > 0 && (
            <>
              <Link href={`/devices?${new URLSearchParams({ model: model.code, silent: '7' })}`}>
                {model.silentDeviceCount.toLocaleString('en')} silent for a week
              </Link>{' '}
              ·{' '}
            </>
          )}
          <Link href={`/dumps?${new URLSearchParams({ model: model.code })}`}>its dumps</Link> ·{' '}
          <Link href={`/enrolment?${new URLSearchParams({ model: model.code })}`}>enrolment</Link>
          <ForAdmins>
            {' '}
            ·{' '}
            <Link href={`/alerts?${new URLSearchParams({ model: model.code })}`}>alerts for this model</Link>
          </ForAdmins>
        </span>
        <ForAdmins>
          <ModelActions model={model} buildCount={totalCount} />
        </ForAdmins>
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      <MissingFirmware modelCode={model.code} />
      <ForAdmins>
        <UploadArea modelCode={model.code} />
      </ForAdmins>
      {nodes.length > 0 && (
        <div className="card">
          <BuildTable builds={nodes} model={model} />
        </div>
      )}
      <Paging endCursor={pageInfo.endCursor ?? null} hasNextPage={pageInfo.hasNextPage} />
      {totalCount === 0 && (
        <EmptyState title="No build yet">
          <p>From CI, after each build{isClosed && ', with the token of an uploader'}:</p>
          <CodeBlock label="Shell" text={uploadCommand(model.code, isClosed)} />
          <p>
            Coredock’s <code>docs/ci.md</code> has the ways of GitHub and GitLab
            {isClosed && ', which need no token that you keep'}.
          </p>
        </EmptyState>
      )}
      <ModelAdoption model={model.code} days={model.adoption} />
      <OwnCode model={model} />
      <ModelLinks model={model} />
      <Privacy model={model} />
    </>
  );
}
