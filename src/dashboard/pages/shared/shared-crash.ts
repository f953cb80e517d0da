import { withBase } from '../../base-path';
import type { DumpOnPageFragment, TaskOnPageFragment } from '../../generated/graphql';

type Report = NonNullable<DumpOnPageFragment['report']>;

/** The answer of `GET /api/shared`. */
export interface SharedCrash {
  title: string;
  model: { code: string; name: string };
  device: { key: string; serial: string | null; name: string | null };
  crashVersion: string;
  reportedVersion: string;
  chip: string;
  uploadedAt: string;
  report: SharedReport | null;
  markdown: string;
  expiresAt: string;
}

/** What the page shows of it, in the form of the API. */
export type SharedReport = Pick<Report, 'reason' | 'explanation' | 'registers' | 'warnings' | 'tasks'>;

/** The token of the link, which is in the part of the address that browsers keep to themselves. */
export function tokenInAddress(): string {
  return window.location.hash.slice(1);
}

/** @throws Error with a sentence for people */
export async function fetchSharedCrash(token: string): Promise<SharedCrash> {
  const response = await fetch(withBase('/api/shared'), {
    headers: { authorization: `Bearer ${token}` },
    credentials: 'omit',
  }).catch(() => {
    throw new Error('The server cannot be reached.');
  });
  const answer = (await response.json().catch(() => ({}))) as SharedCrash & { error?: { message: string } };
  if (!response.ok) throw new Error(answer.error?.message ?? `The server answers ${response.status}.`);
  return { ...answer, report: answer.report === null ? null : inTheFormOfTheApi(answer.report) };
}

/** The API has the values of enums in capitals. */
function inTheFormOfTheApi(report: SharedReport): SharedReport {
  const inCapitals = (frames: TaskOnPageFragment['frames']) =>
    frames.map((frame) => ({ ...frame, trust: frame.trust.toUpperCase() as typeof frame.trust }));
  return {
    ...report,
    tasks: report.tasks.map((task) => ({
      ...task,
      state: (task.state?.toUpperCase() ?? null) as typeof task.state,
      frames: inCapitals(task.frames),
      interruptedFrames: inCapitals(task.interruptedFrames),
    })),
  };
}
