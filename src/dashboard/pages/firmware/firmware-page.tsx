import { useState } from 'react';
import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import type { Whole } from '../../api/whole';
import { graphql } from '../../generated';
import type { FirmwareModelsQuery } from '../../generated/graphql';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { countText, unitText } from '../../parts/sizes';
import { Ago } from '../../parts/time';
import { useTitle } from '../../parts/use-title';
import { ForAdmins } from '../../session/role';
import { CreateModelDialog } from './create-model-dialog';

const FirmwareModels = graphql(`
  query FirmwareModels {
    deviceModels(first: 200) {
      totalCount
      nodes {
        id code name
        deviceCount
        firmwares(first: 1) { totalCount nodes { id version uploadedAt } }
      }
    }
  }
`);

type Model = Whole<FirmwareModelsQuery>['deviceModels']['nodes'][number];

/** The models, each with its firmware. */
export function FirmwarePage() {
  useTitle('Firmware');
  const [isCreating, setCreating] = useState(false);
  const { data, error } = useLiveQuery(FirmwareModels, {}, () => false);
  const models = data?.deviceModels;

  return (
    <>
      <header className="page-head">
        <h1>Firmware</h1>
        {models !== undefined && <span className="count">{countText(models.totalCount, 'model')}</span>}
        <ForAdmins>
          <div className="actions">
            <button type="button" className="button" data-tone="primary" onClick={() => setCreating(true)}>
              New model
            </button>
          </div>
        </ForAdmins>
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      {models === undefined && error === undefined && <Loading />}
      {models !== undefined && models.nodes.length > 0 && <ModelTable models={models.nodes} />}
      {models?.nodes.length === 0 && (
        <EmptyState title="No model yet">
          <p>
            A model is a product: its devices run the same firmware builds. Create one, then upload the ELF of
            each build, so that addresses in dumps become functions and lines.
          </p>
        </EmptyState>
      )}
      <CreateModelDialog isOpen={isCreating} onClose={() => setCreating(false)} />
    </>
  );
}

function ModelTable({ models }: { models: readonly Model[] }) {
  return (
    <div className="card">
      <table className="list">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col" className="end">
              Devices
            </th>
            <th scope="col" className="end">
              Builds
            </th>
            <th scope="col">Newest</th>
            <th scope="col" className="end">
              Uploaded
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <ModelRow key={model.id} model={model} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ModelRow({ model: { code, name, deviceCount, firmwares } }: { model: Model }) {
  const [newest] = firmwares.nodes;
  return (
    <tr>
      <td className="name-cell">
        <Link href={`/firmware/${code}`} data-row className="row-link">
          {name}
        </Link>
        <div className="sub-line mono">{code}</div>
      </td>
      <td className="number" data-unit={unitText(deviceCount, 'device')}>
        {deviceCount}
      </td>
      <td className="number" data-unit={unitText(firmwares.totalCount, 'build')}>
        {firmwares.totalCount}
      </td>
      <td className="mono">{newest?.version ?? <span className="count">no ELF yet</span>}</td>
      <td className="end">{newest !== undefined && <Ago at={newest.uploadedAt} />}</td>
    </tr>
  );
}
