import type { Architecture } from '../arch/architecture.js';
import { type Chip, chipById, chipByName } from '../arch/chips.js';
import type { ReportWarning } from '../warning.js';
import { readBinCore } from './bin-core.js';
import type { Dump } from './core.js';
import { readElfCore } from './elf-core.js';
import { type Gaps, listGaps } from './gaps.js';
import type { Container } from './payload.js';

/**
 * Reads tasks, memory and notes from an opened container.
 * @param chipHint the chip as the caller knows it; used when the dump does not name one, or names an impossible one
 * @throws UnreadableDump when the dump contains no task
 */
export function readDump(container: Container, chipHint: string | null): Dump {
  const { payload } = container;
  const core =
    payload.kind === 'elf'
      ? readElfCore(payload, container.gaps, container.chipId)
      : readBinCore(payload, container.chipId ?? 0, container.gaps);
  // BIN dumps do not name their ELF. A bare ELF has no container header; its notes have the same data.
  const chipId = container.chipId ?? core.chipId;
  const warnings = [...container.warnings, ...core.warnings];
  const chip = settleChip(core.architecture, chipId, chipHint, warnings);
  if (core.memory.conflicts > 0) {
    const { conflicts } = core.memory;
    const what =
      conflicts === 1
        ? '1 memory segment overlaps others and differs'
        : `${conflicts} memory segments overlap others and differ`;
    warnings.push({ code: 'SEGMENTS_OVERLAP', message: `${what}; the lower one was believed.` });
  }
  if (
    core.versionWord !== null &&
    container.versionWord !== null &&
    core.versionWord !== container.versionWord
  ) {
    warnings.push({
      code: 'VERSIONS_DIFFER',
      message: `Header and note disagree about the version: 0x${container.versionWord.toString(16)} and 0x${core.versionWord.toString(16)}.`,
    });
  }
  if (container.gaps.length > 0) warnings.push(gapsWarning(container.gaps, core.incomplete));
  const { incomplete: _named, versionWord: _inNote, chipId: _inElf, ...rest } = core;
  return {
    ...rest,
    format: container.format,
    checksum: container.checksum,
    transport: container.transport,
    chip,
    chipRevision: container.chipRevision,
    warnings,
  };
}

/** One warning for all: what is missing, and what of the report is incomplete for that. */
function gapsWarning(gaps: Gaps, incomplete: readonly string[]): ReportWarning {
  const parts = incomplete.slice(0, MOST_NAMED_PARTS);
  if (incomplete.length > MOST_NAMED_PARTS) parts.push(`${incomplete.length - MOST_NAMED_PARTS} more`);
  const what = parts.length === 0 ? '' : ` Incomplete for that: ${parts.join(', ')}.`;
  return {
    code: 'DUMP_HAS_GAPS',
    message: `Bytes ${listGaps(gaps)} of the dump are missing: its text was damaged on the way.${what}`,
  };
}

const MOST_NAMED_PARTS = 8;

/** The ELF machine decides: an early esp32c2 release wrote the chip id of the esp32c3. */
function settleChip(
  architecture: Architecture,
  chipId: number | null,
  hint: string | null,
  warnings: ReportWarning[],
): Chip | null {
  const named = chipId === null ? null : chipById(chipId);
  const hinted = hint === null ? null : chipByName(hint);
  if (chipId !== null && named === null)
    warnings.push({ code: 'UNKNOWN_CHIP', message: `The chip id ${chipId} is not known.` });
  if (named !== null && named.architecture !== architecture) {
    warnings.push({
      code: 'CHIPS_DIFFER',
      message: `The dump says ${named.name}, but its registers are those of a ${architecture.name} chip.`,
    });
  }
  const chip = [named, hinted].find((candidate) => candidate?.architecture === architecture) ?? null;
  if (hinted !== null && chip !== null && hinted !== chip) {
    warnings.push({
      code: 'CHIPS_DIFFER',
      message: `The dump says ${chip.name}, its sender ${hinted.name}.`,
    });
  }
  return chip;
}
