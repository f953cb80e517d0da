import { type CrashReport, kindOfReason } from '../../src/crashdump/index.js';
import { encodeGlobalId } from '../../src/global-ids.js';
import type { GraphQLEndpoint } from './graphql-server.js';

export interface CrashOptions {
  /** The fingerprint is made of it. */
  place?: string;
  fingerprint?: string;
  /** False: the answer of a sidecar that makes only the text. */
  hasReport?: boolean;
  reason?: string;
  version?: string;
  chip?: string;
  at?: Date;
  output?: string;
}

/** A report as the reader makes them, with what grouping reads. */
export function aReport({
  place = 'sensor_read',
  fingerprint = `v1:${place}`,
  reason = 'LoadProhibited at 0x00000010',
}: CrashOptions = {}): CrashReport {
  const frame = {
    pc: '0x42000000',
    line: 88,
    inlined: false,
    trust: 'context' as const,
    inRom: false,
    atLineStart: false,
    arguments: [],
  };
  return {
    source: 'core_dump',
    schemaVersion: 2,
    kind: kindOfReason(reason),
    reason,
    faultAddress: null,
    cause: null,
    explanation: null,
    watchdogTasks: [],
    culprit: { function: place, file: `/builds/app/main/${place}.c`, line: 88 },
    fingerprint,
    chip: 'esp32c3',
    chipRevision: null,
    crashedTask: 'main',
    inInterrupt: null,
    appElfSha256: null,
    elfMatch: 'unknown',
    elfMatches: false,
    usesElf: true,
    elfEvidence: null,
    format: 'bare ELF',
    checksum: 'absent',
    transport: null,
    registers: [],
    memoryRegions: [],
    memoryRegionCount: 0,
    deviceIdentity: null,
    values: [],
    logLines: [],
    warnings: [],
    tasks: [
      {
        name: 'main',
        tcb: '0x3fc90000',
        crashed: true,
        priority: null,
        basePriority: null,
        state: null,
        waitingFor: null,
        stackUsed: null,
        stackFree: null,
        stackNeverUsed: null,
        stackOverflow: null,
        stackCorrupted: false,
        core: null,
        coreAffinity: null,
        registers: [],
        backtraceEnd: null,
        interruptedFrames: [],
        frames: [
          { ...frame, index: 0, function: 'panic_abort', file: '/idf/panic.c' },
          {
            ...{ ...frame, index: 1, function: place, file: `/builds/app/main/${place}.c` },
            // What the device had in its memory.
            arguments: [{ name: 'password', value: '0x3fc8ea9c "hunter2"' }],
          },
        ],
      },
    ],
  };
}

/** A dump of the device that waits for its parse. */
export async function aPendingDump(
  { fleet }: Pick<GraphQLEndpoint, 'fleet'>,
  device: { id: number },
  { version = '1.0.0', chip = 'esp32c3', at = new Date() }: CrashOptions = {},
) {
  return fleet.aDump(device, { firmwareVersion: version, chip, uploadedAt: at });
}

/** Ends a parse as the pipeline does. @returns the group's global id, null when there is none */
export async function parsed(
  endpoint: Pick<GraphQLEndpoint, 'db' | 'state'>,
  dump: { id: number },
  /** @param result.firmwareId the build that the dump names */
  result: { status?: 'PARSED' | 'ERROR'; crash?: CrashOptions; firmwareId?: number } = {},
): Promise<string | null> {
  const { status = 'PARSED', crash = {}, firmwareId = null } = result;
  const { hasReport = status === 'PARSED' } = crash;
  const [task] = await endpoint.state.tasksOf([dump.id]);
  if (task === undefined) throw new Error('the dump does not wait for a parse');
  const hold = endpoint.state.hold(task);
  await endpoint.state.begin(hold, 3);
  await endpoint.state.finish(hold, {
    status,
    errorKind: status === 'ERROR' ? 'missing_firmware' : null,
    text: {
      output: crash.output ?? 'the output',
      report: hasReport ? { ...aReport(crash), elfMatches: firmwareId !== null } : null,
    },
    firmwareId,
    appElfSha256: null,
    dumpChip: null,
    kind: null,
  });
  const occurrence = await endpoint.db.crashOccurrence.findUnique({
    where: { coredumpId: dump.id },
    select: { signature: { select: { groupId: true } } },
  });
  const groupId = occurrence?.signature?.groupId;
  return groupId === undefined ? null : encodeGlobalId('CrashGroup', groupId);
}

/** A dump of the device from its arrival to its parse. */
export async function aCrash(endpoint: GraphQLEndpoint, device: { id: number }, crash: CrashOptions = {}) {
  const dump = await aPendingDump(endpoint, device, crash);
  const groupId = await parsed(endpoint, dump, { crash });
  if (groupId === null) throw new Error('the crash belongs to no group');
  return { dump, groupId };
}
