import { Link } from 'wouter';

interface VersionedDump {
  crashVersion: string;
  /** As the device reported it, perhaps after an update. */
  firmwareVersion: string;
}

/** The version that crashed; what the device reported stands beside it where it differs. */
export function CrashVersion({ dump }: { dump: VersionedDump }) {
  const { crashVersion, firmwareVersion } = dump;
  return (
    <>
      <span className="mono">{crashVersion}</span>
      {firmwareVersion !== crashVersion && (
        <span className="reported-version"> (device reported {firmwareVersion})</span>
      )}
    </>
  );
}

/** The same as a link to the dumps of its build, or of the version where the build is not known. */
export function CrashVersionLink({
  dump,
  modelCode,
  buildId,
}: {
  dump: VersionedDump;
  modelCode: string;
  buildId: string | null;
}) {
  return (
    <Link href={dumpsOf(modelCode, dump.crashVersion, buildId)}>
      <CrashVersion dump={dump} />
    </Link>
  );
}

/** Address of the dumps of a build, or of a version, which may have several builds. */
export function dumpsOf(modelCode: string, version: string, buildId: string | null): string {
  const parameters = buildId === null ? { model: modelCode, version } : { build: buildId };
  return `/dumps?${new URLSearchParams(parameters)}`;
}
