import type { CoredumpRow } from '../../coredumps/types.js';
import { type CrashReport, isOwnFrame, type StackFrame } from '../../crashdump/index.js';
import { sourceUrlOf } from '../../devices/model-links.js';
import type { Loaders } from './loaders.js';

/** A frame with the address of its line in the repository; absent where nobody asked for it. */
export type LinkedFrame = StackFrame & { sourceUrl?: string | null };

/**
 * Addresses of lines of own code, in the build that the dump was read with, by the templates of the model that the device
 * has now. Null: the model has no template.
 */
export async function sourceUrlsOf(
  { deviceId, firmwareId }: Pick<CoredumpRow, 'deviceId' | 'firmwareId'>,
  { devices, firmwares }: Pick<Loaders, 'devices' | 'firmwares'>,
): Promise<((frame: StackFrame) => string | null) | null> {
  const device = await devices.byId.load(deviceId);
  const links = device === null ? null : await devices.linksOfModel.load(device.modelId);
  if (links === null || links.sourceUrl === null) return null;
  const build = firmwareId === null ? null : await firmwares.byId.load(firmwareId);
  const revision = build?.revision ?? null;
  return (frame) => (isOwnFrame(frame) ? sourceUrlOf(links, revision, frame) : null);
}

/** The report with the links of its frames. */
export async function withSourceUrls(
  report: CrashReport,
  dump: Pick<CoredumpRow, 'deviceId' | 'firmwareId'>,
  loaders: Pick<Loaders, 'devices' | 'firmwares'>,
): Promise<CrashReport> {
  const urlOf = await sourceUrlsOf(dump, loaders);
  if (urlOf === null) return report;
  const linked = (frames: StackFrame[]) =>
    frames.map((frame): LinkedFrame => ({ ...frame, sourceUrl: urlOf(frame) }));
  return {
    ...report,
    tasks: report.tasks.map((task) => ({
      ...task,
      frames: linked(task.frames),
      interruptedFrames: linked(task.interruptedFrames),
    })),
  };
}
