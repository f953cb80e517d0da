import type { ReportWarning } from '../crashdump/index.js';
import { elfKey } from '../firmware/blob-keys.js';
import type { FoundBuild } from '../firmware/find-build.js';
import type { Firmware } from '../firmware/types.js';
import type { ParseTask } from './parse-task.js';
import type { SidecarAnswer } from './sidecar-client.js';
import type { ParseResult } from './store-reading.js';
import type { ParseErrorKind } from './types.js';

/** The files given to the sidecar, and the build that was chosen. */
export interface Prepared {
  firmware: Firmware;
  candidates: Firmware[];
  matchedBy: FoundBuild['matchedBy'];
  appElfSha256: string | null;
}

/** Makes the result of an answer of the sidecar, with warnings about the chosen build. */
export function resultOf(
  answer: Exclude<SidecarAnswer, { status: 'failed' }>,
  prepared: Prepared,
  task: ParseTask,
): ParseResult {
  const { firmware, appElfSha256 } = prepared;
  const build = { firmwareId: firmware.id, appElfSha256 };
  if (answer.status === 'unreadable')
    return { ...failure('unreadable', unableToParse(answer.reason)), ...build };
  const warnings = buildWarnings(prepared, task.firmwareVersion);
  const output = [...warnings.map(({ message }) => `Warning: ${message}\n`), answer.output].join('');
  const report =
    answer.report === null ? null : { ...answer.report, warnings: [...warnings, ...answer.report.warnings] };
  return { status: 'PARSED', errorKind: null, text: { output, report }, ...build };
}

export function failure(kind: ParseErrorKind, output: string): ParseResult {
  return {
    status: 'ERROR',
    errorKind: kind,
    text: { output, report: null },
    firmwareId: null,
    appElfSha256: null,
  };
}

export function unableToParse(reason: string): string {
  return `Unable to parse coredump: ${reason}`;
}

export function missingFirmware(task: ParseTask, appElfSha256: string | null): ParseResult {
  const sha = appElfSha256 === null ? '' : ` (the dump names the ELF with SHA-256 ${appElfSha256}…)`;
  const output =
    `No firmware for model "${task.modelCode}" version "${task.firmwareVersion}"${sha}. ` +
    'Upload it with the uploadFirmware mutation; the dump is then parsed automatically.';
  return { ...failure('missing_firmware', output), appElfSha256 };
}

export function lostFirmware(task: ParseTask, firmware: Firmware, appElfSha256: string | null): ParseResult {
  const { id: firmwareId, version, elfSha256 } = firmware;
  const output =
    `The ELF of firmware version "${version}" of model "${task.modelCode}" is missing: the storage has no ` +
    `${elfKey(task.modelCode, elfSha256)}. Upload the same ELF again with the uploadFirmware mutation, or restore the ` +
    'file; the dump is then parsed automatically.';
  return { ...failure('lost_firmware', output), firmwareId, appElfSha256 };
}

function buildWarnings(
  { firmware, candidates, matchedBy, appElfSha256 }: Prepared,
  reportedVersion: string,
): ReportWarning[] {
  if (matchedBy === 'choice' && appElfSha256 !== null && !firmware.elfSha256.startsWith(appElfSha256)) {
    return [
      {
        code: 'BUILD_CHOSEN',
        message:
          `the dump names the ELF with SHA-256 ${appElfSha256}…; read with the build that was chosen, SHA-256 ` +
          `${firmware.elfSha256}: names may be wrong.`,
      },
    ];
  }
  if (matchedBy === 'version' && appElfSha256 !== null) {
    return [
      {
        code: 'FIRMWARE_DIFFERS',
        message:
          `the dump names the ELF with SHA-256 ${appElfSha256}…, which was not uploaded; ` +
          `read with the build of the same version, SHA-256 ${firmware.elfSha256}: names may be wrong.`,
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
          `the device reported version "${reportedVersion}", but the ELF that the dump names is of version ` +
          `"${firmware.version}": the device was updated after the crash, or a build was uploaded under a wrong version.`,
      },
    ];
  }
  return [];
}
