import type { ReportWarning } from '../crashdump/index.js';
import { elfKey } from '../firmware/blob-keys.js';
import type { FoundBuild } from '../firmware/find-build.js';
import type { Firmware } from '../firmware/types.js';
import { kindOf, NAMES, NOUNS } from './kind.js';
import type { ParseTask } from './parse-task.js';
import type { SidecarAnswer } from './sidecar-client.js';
import { type DumpIdentity, NO_IDENTITY, type ParseResult } from './store-reading.js';
import type { CoredumpKind, CoredumpText, ParseErrorKind } from './types.js';

/** What the sidecar is given, and the build that was chosen. */
export interface Prepared extends DumpIdentity {
  firmware: Firmware;
  candidates: Firmware[];
  matchedBy: FoundBuild['matchedBy'];
  ofOtherChips?: Firmware[];
}

/** The sidecar is given the dump alone. */
export interface PreparedWithoutBuild extends DumpIdentity {
  firmware: null;
  /** The result when the sidecar cannot read a dump without its build. */
  ending: ParseResult;
  /** The result when the sidecar too finds that it is no dump, or cannot say; null when it looks like one. */
  noDump: ParseResult | null;
}

/** Makes the result of an answer of the sidecar, with warnings about the chosen build. */
export function resultOf(
  answer: Exclude<SidecarAnswer, { status: 'failed' }>,
  prepared: Prepared,
  task: ParseTask,
): ParseResult {
  const { firmware, appElfSha256, dumpChip, kind, ownVersion = null } = prepared;
  const build = { firmwareId: firmware.id, appElfSha256, dumpChip, kind, ownVersion };
  if (answer.status === 'no crash') return noCrashResult(answer.reason, prepared);
  if (answer.status === 'unreadable')
    return { ...failure('unreadable', unableToParse(answer.reason, kind)), ...build };
  const text = withBuildWarnings(answer, prepared, task);
  return { status: 'PARSED', errorKind: null, text, ...build, kind: kind ?? kindIn(text) };
}

/** For what the server itself takes for nothing of a crash: a sidecar may read more. */
function kindIn({ report }: CoredumpText): CoredumpKind | null {
  return report === null ? null : kindOf(report.source);
}

/** Text and report with what is doubtful about the chosen build. */
export function withBuildWarnings(
  { output, report }: CoredumpText,
  prepared: Prepared,
  told: Pick<ParseTask, 'firmwareVersion' | 'chosenFirmwareId'>,
): CoredumpText {
  const warnings = [...unusedChoice(prepared, told), ...doubtsOfBuild(prepared, told.firmwareVersion)];
  return {
    output: [...warnings.map(({ message }) => `Warning: ${message}\n`), output].join(''),
    report: report === null ? null : { ...report, warnings: [...warnings, ...report.warnings] },
  };
}

/**
 * A dump without its build ends as `ending` says, with all that the dump alone tells. A sidecar of somebody else may not
 * read it, or answer a text without a report: then nothing is added. That it calls unreadable what looks like a dump
 * means nothing, because the build may be what it lacks.
 */
export function resultWithoutBuild(answer: SidecarAnswer, prepared: PreparedWithoutBuild): ParseResult {
  const { ending, noDump } = prepared;
  if (answer.status === 'no crash') return noCrashResult(answer.reason, prepared);
  if (answer.status === 'unreadable' && noDump !== null)
    return failure('unreadable', unableToParse(answer.reason));
  if (answer.status !== 'parsed' || answer.report === null) return ending;
  const { output, report } = answer;
  const text = { output: `${ending.text.output}\n\n${output}`, report };
  return { ...ending, text, kind: ending.kind ?? kindIn(text) };
}

export function failure(kind: ParseErrorKind, output: string): ParseResult {
  return {
    status: 'ERROR',
    errorKind: kind,
    text: { output, report: null },
    firmwareId: null,
    ...NO_IDENTITY,
  };
}

/** @param kind as far as it is known */
export function unableToParse(reason: string, kind: CoredumpKind | null = null): string {
  const what = kind === null || kind === 'CORE_DUMP' ? 'coredump' : NAMES[kind];
  return `Unable to parse ${what}: ${reason}`;
}

/** It is said why, and it is no crash of its device. */
export function noCrashResult(reason: string, { appElfSha256, dumpChip, kind }: DumpIdentity): ParseResult {
  return { ...failure('no_crash', asNoCrash(reason)), appElfSha256, dumpChip, kind };
}

const NO_CRASH = 'This is no crash';

/** The reader's sentence begins so; a sidecar of another maker may say the cause alone. */
function asNoCrash(reason: string): string {
  return reason.startsWith(NO_CRASH) ? reason : `${NO_CRASH}: ${reason}`;
}

/** @param ofOtherChips builds that would match, but are for another chip than the dump names */
export function missingFirmware(
  task: ParseTask,
  identity: DumpIdentity,
  ofOtherChips: readonly Firmware[] = [],
): ParseResult {
  const { appElfSha256, dumpChip } = identity;
  const noun = nounOf(identity);
  const sha = appElfSha256 === null ? '' : ` (the ${noun} names the ELF with SHA-256 ${appElfSha256}…)`;
  const chips = [...new Set(ofOtherChips.map(({ chip }) => chip))].join(', ');
  const others =
    chips === ''
      ? ''
      : ` The ${noun} is from the chip ${dumpChip ?? task.chip}; a build for ${chips} is not used.`;
  const output =
    `No firmware for model "${task.modelCode}" version "${task.firmwareVersion}"${sha}.${others} ` +
    `Upload it with the uploadFirmware mutation; the ${noun} is then parsed automatically.`;
  return { ...failure('missing_firmware', output), ...identity };
}

function nounOf({ kind }: DumpIdentity): string {
  return NOUNS[kind ?? 'CORE_DUMP'];
}

export function lostFirmware(task: ParseTask, firmware: Firmware, identity: DumpIdentity): ParseResult {
  const { id: firmwareId, version, elfSha256 } = firmware;
  const output =
    `The ELF of firmware version "${version}" of model "${task.modelCode}" is missing: the storage has no ` +
    `${elfKey(task.modelCode, elfSha256)}. Upload the same ELF again with the uploadFirmware mutation, or restore the ` +
    `file; the ${nounOf(identity)} is then parsed automatically.`;
  return { ...failure('lost_firmware', output), firmwareId, ...identity };
}

/** The build that a person chose turned out to be for another chip. */
function unusedChoice(
  { ofOtherChips = [], ...identity }: Prepared,
  { chosenFirmwareId }: Pick<ParseTask, 'chosenFirmwareId'>,
): ReportWarning[] {
  const unused = ofOtherChips.find(({ id }) => id === chosenFirmwareId);
  if (unused === undefined) return [];
  return [
    {
      code: 'FIRMWARE_FOR_OTHER_CHIP',
      message:
        `the build that was chosen is for ${unused.chip}, the ${nounOf(identity)} is from ${identity.dumpChip}: ` +
        'it was not used.',
    },
  ];
}

function doubtsOfBuild(prepared: Prepared, reportedVersion: string): ReportWarning[] {
  const { firmware, candidates, matchedBy, appElfSha256 } = prepared;
  const noun = nounOf(prepared);
  if (matchedBy === 'choice' && appElfSha256 !== null && !firmware.elfSha256.startsWith(appElfSha256)) {
    return [
      {
        code: 'BUILD_CHOSEN',
        message:
          `the ${noun} names the ELF with SHA-256 ${appElfSha256}…; read with the build that was chosen, SHA-256 ` +
          `${firmware.elfSha256}: names may be wrong.`,
      },
    ];
  }
  if (matchedBy === 'version' && appElfSha256 !== null) {
    return [
      {
        code: 'FIRMWARE_DIFFERS',
        message:
          `the ${noun} names the ELF with SHA-256 ${appElfSha256}…, which was not uploaded; ` +
          `read with the build of the same version, SHA-256 ${firmware.elfSha256}: names may be wrong.`,
      },
    ];
  }
  if (matchedBy === 'version' && candidates.length > 1) {
    return [
      {
        code: 'SEVERAL_BUILDS',
        message:
          `the ${noun} does not name its ELF, and ${candidates.length} builds have the version "${firmware.version}"; read ` +
          `with SHA-256 ${firmware.elfSha256}. Another one can be chosen (parseCoredump).`,
      },
    ];
  }
  if (matchedBy === 'sha' && candidates.length > 1) {
    const list = candidates.map(({ version, elfSha256 }) => `${version} (${elfSha256})`).join(', ');
    return [
      {
        code: 'SEVERAL_BUILDS',
        message: `the SHA-256 prefix ${appElfSha256} fits several builds: ${list}; read with ${firmware.elfSha256}.`,
      },
    ];
  }
  if (matchedBy === 'sha' && firmware.version !== reportedVersion) {
    return [
      {
        code: 'FIRMWARE_VERSIONS_DIFFER',
        message:
          `the device reported version "${reportedVersion}", but the ELF that the ${noun} names is of version ` +
          `"${firmware.version}": the device was updated after the crash, or a build was uploaded under a wrong version.`,
      },
    ];
  }
  return [];
}
