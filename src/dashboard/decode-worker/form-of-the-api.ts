import { type CrashReport, type CrashTask, judgedOnce, type StackFrame } from '../../crashdump/index.js';
import type { DecodedReportFragment } from '../generated/graphql';

/** The report as the API has it, which is how the page shows it: enums in capitals, own code judged, no links. */
export function inTheFormOfTheApi(report: CrashReport): DecodedReportFragment {
  return {
    ...report,
    elfMatch: inCapitals(report.elfMatch),
    checksum: inCapitals(report.checksum),
    values: report.values.map((value) => ({ ...value, type: inCapitals(value.type) })),
    memoryRegions: report.memoryRegions.map((region) => ({ ...region, source: inCapitals(region.source) })),
    tasks: report.tasks.map((task) => taskOf(judgedOnce(task), report.usesElf)),
  };
}

function taskOf(task: CrashTask, usesElf: boolean): DecodedReportFragment['tasks'][number] {
  const frames = (some: readonly StackFrame[]) =>
    some.map((frame) => ({
      ...frame,
      trust: inCapitals(frame.trust),
      isOwnCode: usesElf && frame.isOwnCode === true,
      sourceUrl: null,
    }));
  return {
    ...task,
    state: task.state === null ? null : inCapitals(task.state),
    frames: frames(task.frames),
    interruptedFrames: frames(task.interruptedFrames),
  };
}

export function inCapitals<Value extends string>(value: Value): Uppercase<Value> {
  return value.toUpperCase() as Uppercase<Value>;
}
