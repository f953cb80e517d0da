import { Link } from 'wouter';

/** A version that leads to its page. */
export function ReleaseLink({ model, version }: { model: string; version: string }) {
  return (
    <Link className="mono" href={releaseAddress(model, version)}>
      {version}
    </Link>
  );
}

function releaseAddress(model: string, version: string): string {
  return `/release/${encodeURIComponent(model)}/${encodeURIComponent(version)}`;
}
