import { Link } from 'wouter';
import { useLiveQuery } from '../api/use-live-query';
import { graphql } from '../generated';
import { countText } from './sizes';

const MissingFirmwares = graphql(`
  query MissingFirmwares {
    missingFirmwares(first: 5) {
      firmwareVersion elfSha256Prefix coredumpCount deviceCount
      model { id code }
    }
  }
`);

/** The builds that dumps wait for, those with the most dumps first. Empty when none is missing. */
export function MissingFirmware({ modelCode }: { modelCode?: string }) {
  const { data } = useLiveQuery(MissingFirmwares, {});
  const missing = (data?.missingFirmwares ?? []).filter(
    ({ model }) => modelCode === undefined || model.code === modelCode,
  );
  if (missing.length === 0) return null;
  return (
    <ul className="notice" data-tone="warn" aria-label="Missing firmware">
      {missing.map(({ model, firmwareVersion, elfSha256Prefix, coredumpCount, deviceCount }) => (
        <li key={`${model.code} ${firmwareVersion} ${elfSha256Prefix}`}>
          {countText(coredumpCount, 'dump')} of {countText(deviceCount, 'device')} wait
          {coredumpCount === 1 && 's'} for the ELF of{' '}
          <Link href={`/firmware/${model.code}`}>
            {model.code} {firmwareVersion}
          </Link>
          {elfSha256Prefix != null && (
            <>
              {' '}
              (SHA-256 <code>{elfSha256Prefix.slice(0, 16)}…</code>)
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
