import { Link } from 'wouter';

/** Leads to the page of a version. @param children other words than the version */
export function ReleaseLink({
  model,
  version,
  children,
}: {
  model: string;
  version: string;
  children?: string;
}) {
  return (
    <Link className={children === undefined ? 'mono' : ''} href={releaseAddress(model, version)}>
      {children ?? version}
    </Link>
  );
}

export function releaseAddress(model: string, version: string): string {
  return `/release/${encodeURIComponent(model)}/${encodeURIComponent(version)}`;
}
