import { aReport, type CrashOptions } from './crash-groups.js';
import type { GraphQLEndpoint } from './graphql-server.js';

/** Ends a parse of a dump that names its build by the first digits of the ELF's SHA-256. */
export async function parsedWith(
  endpoint: Pick<GraphQLEndpoint, 'state'>,
  dump: { id: number },
  {
    build = null,
    appElfSha256 = build?.elfSha256.slice(0, 16) ?? null,
    dumpChip = 'esp32c3',
    crash = {},
    errorKind = null,
  }: {
    /** That the parse uses. */
    build?: { id: number; elfSha256: string } | null;
    appElfSha256?: string | null;
    dumpChip?: string | null;
    crash?: CrashOptions;
    errorKind?: 'missing_firmware' | null;
  } = {},
): Promise<void> {
  const [task] = await endpoint.state.tasksOf([dump.id]);
  if (task === undefined) throw new Error('the dump does not wait for a parse');
  const hold = endpoint.state.hold(task);
  await endpoint.state.begin(hold, 3);
  const elfMatches = build !== null && appElfSha256 !== null && build.elfSha256.startsWith(appElfSha256);
  await endpoint.state.finish(hold, {
    status: errorKind === null ? 'PARSED' : 'ERROR',
    errorKind,
    text: { output: 'the output', report: { ...aReport(crash), elfMatches } },
    ...{ firmwareId: build?.id ?? null, appElfSha256, dumpChip, kind: null },
  });
}
