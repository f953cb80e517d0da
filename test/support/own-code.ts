import { type CrashReport, completeSummary } from '../../src/crashdump/index.js';
import { encodeGlobalId } from '../../src/global-ids.js';
import { aPendingDump, aReport } from './crash-groups.js';
import type { GraphQLEndpoint } from './graphql-server.js';

/** A function and its file. */
export type Call = readonly [name: string, file: string | null];

/** A report whose crashed task has these frames, innermost first, as the reader judges them. */
export function aReportOf(calls: readonly Call[], facts: Partial<CrashReport> = {}): CrashReport {
  const { culprit: _, ...report } = { ...aReport(), ...facts };
  const [task] = report.tasks;
  const [frame] = task?.frames ?? [];
  if (task === undefined || frame === undefined) throw new Error('a report without a frame');
  const frames = calls.map(([name, file], index) => ({ ...frame, index, function: name, file }));
  const tasks = [{ ...task, frames }];
  const summary = completeSummary({ ...report, tasks, fingerprint: null });
  const place = summary.culprit === null ? '' : ` in \`${summary.culprit.function}\``;
  const file = summary.culprit?.file?.replace(/^.*\//, '');
  const explanation = `NULL pointer plus offset 0x10 read${place}${file === undefined ? '' : ` at ${file}:88`}`;
  return { ...report, faultAddress: '0x00000010', tasks, ...summary, explanation };
}

/** A dump of the device that was parsed with these frames. @returns its id, and the global id of its group */
export async function aCrashAt(
  endpoint: GraphQLEndpoint,
  device: { id: number },
  calls: readonly Call[],
  { task, ...crash }: { version?: string; at?: Date; task?: string } = {},
) {
  const dump = await aPendingDump(endpoint, device, crash);
  const [parse] = await endpoint.state.tasksOf([dump.id]);
  if (parse === undefined) throw new Error('the dump does not wait for a parse');
  const hold = endpoint.state.hold(parse);
  await endpoint.state.begin(hold, 3);
  const report = aReportOf(calls, task === undefined ? {} : { crashedTask: task });
  await endpoint.state.finish(hold, {
    status: 'PARSED',
    errorKind: null,
    text: { output: `head\nExplanation: ${report.explanation}\ntail`, report },
    firmwareId: null,
    appElfSha256: null,
    dumpChip: null,
    kind: null,
  });
  const occurrence = await endpoint.db.crashOccurrence.findUnique({
    where: { coredumpId: dump.id },
    select: { signature: { select: { groupId: true } } },
  });
  return {
    id: dump.id,
    globalId: dump.globalId,
    groupId: encodeGlobalId('CrashGroup', occurrence?.signature?.groupId ?? 0),
  };
}
