import type { AlertDigest, AlertFormat } from '../../generated/graphql';

/** The values of the form. */
export interface FilledIn {
  name: string;
  format: AlertFormat;
  /** Absent: it does not change. */
  url?: string;
  recipients?: string[];
  accessToken?: string;
  onNew: boolean;
  onRegression: boolean;
  spikeCount: number | null;
  onNewInVersion: boolean;
  loopCrashes: number | null;
  onWaitingBuild: boolean;
  storagePercent: number | null;
  quietHours: { from: string; to: string } | null;
  timeZone: string;
  digest: AlertDigest;
  digestAt: string | null;
  modelCode: string | null;
  crashGroupId: string | null;
}

export function readForm(form: FormData): FilledIn {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const number = (name: string) => (text(name) === '' ? null : Number(text(name)));
  const format = text('format') as AlertFormat;
  const digest = text('digest') as AlertDigest;
  const [from, to] = [text('quietFrom'), text('quietTo')];
  return {
    name: text('name'),
    format,
    ...(format === 'MAIL'
      ? {
          recipients: text('recipients')
            .split(/[\s,;]+/)
            .filter((address) => address !== ''),
        }
      : {}),
    ...(format === 'MAIL' || text('url') === '' ? {} : { url: text('url') }),
    ...(format !== 'NTFY' || text('accessToken') === '' ? {} : { accessToken: text('accessToken') }),
    onNew: form.has('onNew'),
    onRegression: form.has('onRegression'),
    spikeCount: number('spikeCount'),
    onNewInVersion: form.has('onNewInVersion'),
    loopCrashes: number('loopCrashes'),
    onWaitingBuild: form.has('onWaitingBuild'),
    storagePercent: number('storagePercent'),
    quietHours: from === '' || to === '' ? null : { from, to },
    timeZone: text('timeZone') || 'UTC',
    digest,
    digestAt: digest === 'DAILY' ? text('digestAt') || null : null,
    modelCode: text('model') || null,
    crashGroupId: text('group') || null,
  };
}
