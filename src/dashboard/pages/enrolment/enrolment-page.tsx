import { useContext, useState } from 'react';
import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { DeviceApproval } from '../../generated/graphql';
import { CodeBlock } from '../../parts/code-block';
import { bootCurlLine } from '../../parts/command-examples';
import { Labelled, useFilters } from '../../parts/filters';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { useTitle } from '../../parts/use-title';
import { AuthenticationContext, ForAdmins } from '../../session/role';
import { CreateKeyDialog } from './create-key-dialog';
import { EnrolledDevices } from './enrolled-devices';
import { ImportDialog } from './import-dialog';
import { KeyTable } from './key-table';

const Enrolment = graphql(`
  query Enrolment($modelCode: String, $shown: DeviceFilter!, $waiting: DeviceFilter!, $after: String) {
    deviceModels(first: 200) { nodes { id code name } }
    ingestKeys(first: 100, modelCode: $modelCode) { nodes { ...KeyInList } }
    devices(first: 50, after: $after, filter: $shown) {
      totalCount
      nodes { ...EnrolledDevice }
      pageInfo { hasNextPage endCursor }
    }
    waiting: devices(first: 0, filter: $waiting) { totalCount }
  }
`);

/** The values of `show` in the address. */
const SHOWN: Readonly<Record<string, DeviceApproval[]>> = { waiting: ['PENDING'], rejected: ['REJECTED'] };

/** How devices join: the ingest keys, the devices as they appear, and who must still be approved. */
export function EnrolmentPage() {
  useTitle('Enrolment');
  const { parameters, choose } = useFilters();
  const [open, setOpen] = useState<'key' | 'import' | null>(null);
  const isClosed = useContext(AuthenticationContext);
  const modelCode = parameters.get('model') ?? '';
  const show = parameters.get('show') ?? '';
  const ofModel = modelCode === '' ? {} : { modelCode: [modelCode] };
  const { data, error } = useLiveQuery(Enrolment, {
    modelCode: modelCode === '' ? null : modelCode,
    shown: { ...ofModel, ...(SHOWN[show] === undefined ? {} : { approval: SHOWN[show] }) },
    waiting: { ...ofModel, approval: ['PENDING'] },
    after: parameters.get('after'),
  });
  const models = data?.deviceModels.nodes ?? [];

  return (
    <>
      <header className="page-head">
        <h1>Enrolment</h1>
        <ForAdmins>
          <div className="actions">
            <button
              type="button"
              className="button"
              disabled={data === undefined}
              onClick={() => setOpen('import')}
            >
              Import CSV
            </button>
            <button
              type="button"
              className="button"
              data-tone="primary"
              disabled={data === undefined}
              onClick={() => setOpen('key')}
            >
              New ingest key
            </button>
          </div>
        </ForAdmins>
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && models.length === 0 && <WithoutModel />}
      {data !== undefined && models.length > 0 && (
        <>
          <div className="filters">
            <Labelled name="Model">
              {(id) => (
                <select id={id} value={modelCode} onChange={({ target }) => choose('model', target.value)}>
                  <option value="">All models</option>
                  {models.map(({ code, name }) => (
                    <option key={code} value={code}>
                      {name} ({code})
                    </option>
                  ))}
                </select>
              )}
            </Labelled>
          </div>
          {!isClosed && <WithoutKey modelCode={modelCode || (models[0]?.code ?? '')} />}
          <section className="card" aria-labelledby="ingest-keys">
            <header className="card-head">
              <h2 id="ingest-keys">Ingest keys</h2>
            </header>
            {data.ingestKeys.nodes.length > 0 ? (
              <KeyTable ingestKeys={data.ingestKeys.nodes} />
            ) : (
              <p className="card-note">
                None yet. An ingest key is one secret for a whole product: flash it into every device, and
                each registers itself with its first report.
              </p>
            )}
          </section>
          <EnrolledDevices
            devices={data.devices.nodes}
            totalCount={data.devices.totalCount}
            waitingCount={data.waiting.totalCount}
            show={SHOWN[show] === undefined ? '' : show}
            onShow={(value) => choose('show', value)}
          />
          <Paging
            endCursor={data.devices.pageInfo.endCursor ?? null}
            hasNextPage={data.devices.pageInfo.hasNextPage}
          />
        </>
      )}
      <CreateKeyDialog
        models={models}
        modelCode={modelCode}
        isOpen={open === 'key'}
        onClose={() => setOpen(null)}
      />
      <ImportDialog
        models={models}
        modelCode={modelCode}
        isOpen={open === 'import'}
        onClose={() => setOpen(null)}
      />
    </>
  );
}

function WithoutModel() {
  return (
    <EmptyState title="No model yet">
      <p>
        Devices and ingest keys belong to a model: <Link href="/firmware">create one</Link> first.
      </p>
    </EmptyState>
  );
}

/** Without authentication devices need no key. */
function WithoutKey({ modelCode }: { modelCode: string }) {
  return (
    <div className="notice">
      <p>
        Authentication is off on this server: a device needs no key, its model and serial are enough. To see
        one appear:
      </p>
      <CodeBlock label="Shell" text={bootCurlLine({ modelCode })} />
    </div>
  );
}
