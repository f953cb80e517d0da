import { hasRole, type Reader } from '../auth/principal.js';
import type { CoredumpFilter } from '../coredumps/types.js';
import { COREDUMP_KINDS, PARSE_ERROR_KINDS, WAITING_KINDS } from '../coredumps/types.js';
import type { CrashGroupFilter, GroupState } from '../crash-groups/types.js';
import { CRASH_KINDS } from '../crashdump/index.js';
import { firstDayOf, silentSince } from '../devices/silent.js';
import { DEVICE_APPROVALS, type DeviceFilter } from '../devices/types.js';
import { badInput } from '../errors.js';
import { decodeGlobalId } from '../global-ids.js';
import { DAY_MS } from '../platform/durations.js';

/*
 * The parameters of exports have the names and meanings that the page's lists have in their addresses, so that what is
 * shown is what is exported. Unlike the page, which ignores what it does not know, a wrong one is refused by its name: a
 * script must not take a whole fleet for a part of it.
 */

const STATUSES: Readonly<Record<string, CoredumpFilter>> = {
  pending: { parseStatus: ['PENDING'] },
  parsed: { parseStatus: ['PARSED'] },
  waiting: { parseErrorKind: [...WAITING_KINDS] },
  error: { parseErrorKind: PARSE_ERROR_KINDS.filter((kind) => !WAITING_KINDS.includes(kind)) },
};

/** @throws DomainError BAD_USER_INPUT */
export function coredumpFilterOf(parameters: URLSearchParams, now: Date, reader: Reader): CoredumpFilter {
  const read = readerOf(parameters);
  const { after, before } = read.range(now);
  const filter: CoredumpFilter = {
    ...read.oneOf('status', STATUSES, {}),
    ...named({
      modelCode: read.list('model'),
      crashVersion: read.list('version'),
      chip: read.list('chip'),
      deviceKey: read.list('device'),
      crashedTask: read.list('task'),
      crashKind: read.members('kind', CRASH_KINDS),
      kind: read.members('source', COREDUMP_KINDS),
      firmwareId: read.ids('build', 'Firmware'),
      crashGroupId: read.ids('group', 'CrashGroup'),
      reason: read.words('reason'),
      search: read.words('q'),
      searchesOutputs: hasRole(reader, 'admin') ? true : undefined,
      uploadedAfter: after,
      uploadedBefore: before,
    }),
  };
  read.end();
  return filter;
}

const STATES: Readonly<Record<string, { state?: GroupState[]; isRegression?: boolean }>> = {
  open: { state: ['OPEN'] },
  resolved: { state: ['RESOLVED'] },
  ignored: { state: ['IGNORED'] },
  regressions: { isRegression: true },
  all: {},
};

/** @throws DomainError BAD_USER_INPUT */
export function crashGroupFilterOf(parameters: URLSearchParams, now: Date): CrashGroupFilter {
  const read = readerOf(parameters);
  const { after, before } = read.range(now);
  const filter: CrashGroupFilter = {
    ...read.oneOf('state', STATES, { state: ['OPEN'] }),
    ...named({
      kind: read.members('kind', CRASH_KINDS),
      modelCode: read.list('model'),
      firmwareVersion: read.list('version'),
      chip: read.list('chip'),
      deviceKey: read.list('device'),
      reasonClass: read.list('reason'),
      assignee: read.list('assignee'),
      tagId: read.ids('tag', 'Tag'),
      search: read.words('q'),
      lastSeenAfter: after,
      lastSeenBefore: before,
    }),
  };
  read.end();
  return filter;
}

/** @throws DomainError BAD_USER_INPUT */
export function deviceFilterOf(parameters: URLSearchParams, now: Date): DeviceFilter {
  const read = readerOf(parameters);
  const { after, before } = read.range(now);
  const filter: DeviceFilter = named({
    modelCode: read.list('model'),
    firmwareVersion: read.list('version'),
    approval: read.members('approval', DEVICE_APPROVALS),
    runningVersion: read.list('running'),
    silentSince: read.days('silent', (days) => silentSince(days, now, 'silent')),
    unreportedCrashSinceDay: read.days('unreported', (days) => firstDayOf(days, now, 'unreported')),
    search: read.words('q'),
    lastCrashAfter: after,
    lastCrashBefore: before,
  });
  read.end();
  return filter;
}

type Named<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

function named<Fields extends object>(fields: Fields): Named<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Named<Fields>;
}

const LONGEST_VALUE = 200;
const MOST_WORDS = 10;
const SPANS: Readonly<Record<string, number>> = { '24h': DAY_MS, '7d': 7 * DAY_MS, '30d': 30 * DAY_MS };
/** A day in UTC, or a moment with its zone. */
const MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** Reads parameters by their names; `end` refuses those that nobody has read. */
function readerOf(parameters: URLSearchParams) {
  const unread = new Set(parameters.keys());

  function text(name: string): string | undefined {
    unread.delete(name);
    const values = parameters.getAll(name);
    if (values.length > 1) throw refusal(name, 'may be given once');
    const value = values[0]?.trim();
    if (value === undefined || value === '') return undefined;
    if (value.length > LONGEST_VALUE) throw refusal(name, `has at most ${LONGEST_VALUE} characters`);
    if (/\p{Cc}/u.test(value)) throw refusal(name, 'may not have control characters');
    return value;
  }
  function moment(name: string): Date | undefined {
    const value = text(name);
    if (value === undefined) return undefined;
    const date = new Date(value);
    if (!MOMENT.test(value) || Number.isNaN(date.getTime()))
      throw refusal(name, 'is a day (2026-02-01, in UTC) or a moment with its zone (2026-02-01T12:00:00Z)');
    return date;
  }
  function oneOf<Value>(name: string, values: Readonly<Record<string, Value>>, otherwise: Value): Value {
    const value = text(name);
    if (value === undefined) return otherwise;
    const found = Object.hasOwn(values, value) ? values[value] : undefined;
    if (found === undefined) throw refusal(name, `is one of ${Object.keys(values).join(', ')}`);
    return found;
  }

  return {
    oneOf,
    list(name: string): string[] | undefined {
      const value = text(name);
      return value === undefined ? undefined : [value];
    },
    words(name: string): string | undefined {
      const value = text(name);
      if (value !== undefined && value.split(/\s+/).length > MOST_WORDS)
        throw refusal(name, `has at most ${MOST_WORDS} words`);
      return value;
    },
    members<Member extends string>(name: string, members: readonly Member[]): Member[] | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      const member = members.find((known) => known === value);
      if (member === undefined) throw refusal(name, `is one of ${members.join(', ')}`);
      return [member];
    },
    ids(name: string, type: string): number[] | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      const id = decodeGlobalId(type, value);
      if (id === null) throw refusal(name, `is the global id of a ${type}`);
      return [id];
    },
    /** A number of days. @param of refuses those that are too many */
    days<Value>(name: string, of: (days: number) => Value): Value | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^\d{1,4}$/.test(value)) throw refusal(name, 'is a number of days');
      return of(Number(value));
    },
    range(now: Date): { after: Date | undefined; before: Date | undefined } {
      const [after, before] = [moment('from'), moment('to')];
      const span = oneOf('since', SPANS, undefined as unknown as number);
      if (span === undefined) return { after, before };
      if (after !== undefined) throw refusal('since', 'and "from" exclude each other');
      return { after: new Date(now.getTime() - span), before };
    },
    end(): void {
      const [name] = unread;
      if (name !== undefined) throw refusal(name.slice(0, 64), 'is no filter of this list');
    },
  };
}

function refusal(name: string, what: string) {
  return badInput(`The parameter "${name}" ${what}.`, { field: name });
}
