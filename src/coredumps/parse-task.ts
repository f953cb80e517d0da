import type { Prisma } from '../platform/database/client.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import { COREDUMP_KINDS, type CoredumpKind } from './types.js';

/** Everything that a parse needs to know about its dump, as values: the job does not read the row. */
export interface ParseTask {
  coredumpId: number;
  /** Fencing token: a re-parse increments it, and a holder of an older value cannot change anything any more. */
  generation: number;
  modelId: number;
  modelCode: string;
  deviceKey: string;
  filename: string;
  /** As far as it was known when the task was made. */
  kind: CoredumpKind;
  chip: string;
  firmwareVersion: string;
  /** As far as it was known when the task was made: see `crash-version.ts`. */
  crashVersion: string;
  /** The build that a person chose; null: it is found by the dump. */
  chosenFirmwareId: number | null;
}

/** The columns of a task. */
export const TASK = {
  id: true,
  parseGeneration: true,
  filename: true,
  kind: true,
  chip: true,
  firmwareVersion: true,
  crashVersion: true,
  chosenFirmwareId: true,
  device: { select: { key: true, modelId: true, model: { select: { code: true } } } },
} as const satisfies Prisma.CoredumpSelect;

/** Tasks of dumps that were not deleted, with their devices, while they were read. */
export function toTasks(
  rows: ReadonlyArray<Prisma.CoredumpGetPayload<{ select: typeof TASK }>>,
): ParseTask[] {
  return wholeRows(rows, 'device').map(({ id, parseGeneration, kind, device, ...dump }) => ({
    coredumpId: id,
    generation: parseGeneration,
    kind: COREDUMP_KINDS.find((known) => known === kind) ?? 'CORE_DUMP',
    modelId: device.modelId,
    modelCode: device.model.code,
    deviceKey: device.key,
    ...dump,
  }));
}
