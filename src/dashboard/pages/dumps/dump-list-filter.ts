import type { CoredumpFilter } from '../../generated/graphql';
import { isCoredumpKind } from '../../parts/crash-sources';
import { rangeOf } from '../../parts/date-range';
import { FAILED_FILTER, WAITING_FILTER } from '../../parts/parse-state';
import { isCrashKind } from '../groups/crash-kinds';

const STATUSES: Readonly<Record<string, CoredumpFilter>> = {
  pending: { parseStatus: ['PENDING'] },
  parsed: { parseStatus: ['PARSED'] },
  waiting: WAITING_FILTER,
  error: FAILED_FILTER,
};

/** Parameters of the address with one value of a field. */
const LISTS = {
  chip: 'chip',
  version: 'crashVersion',
  model: 'modelCode',
  device: 'deviceKey',
  task: 'crashedTask',
  build: 'firmwareId',
  group: 'crashGroupId',
} as const;

/** The filter that an address asks for. Exports take the same parameters: src/http/export-filters.ts. */
export function dumpFilterOf(parameters: URLSearchParams, now: number): CoredumpFilter {
  const filter: CoredumpFilter = { ...STATUSES[parameters.get('status') ?? ''] };
  for (const [parameter, field] of Object.entries(LISTS)) {
    const value = parameters.get(parameter);
    if (value !== null && value !== '') filter[field] = [value];
  }
  const kind = parameters.get('kind') ?? '';
  if (isCrashKind(kind)) filter.crashKind = [kind];
  const source = parameters.get('source') ?? '';
  if (isCoredumpKind(source)) filter.kind = [source];
  const search = parameters.get('q');
  if (search !== null && search !== '') filter.search = search;
  const reason = parameters.get('reason');
  if (reason !== null && reason !== '') filter.reason = reason;
  const { after, before } = rangeOf(parameters, now);
  if (after !== undefined) filter.uploadedAfter = after;
  if (before !== undefined) filter.uploadedBefore = before;
  return filter;
}
