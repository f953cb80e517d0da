import { badInput } from '../errors.js';
import type { Activity } from './activity.js';
import {
  checkIgnoreUntil,
  type IgnoreUntil,
  ignoreColumns,
  NOT_IGNORED,
  untilText,
  untilTextOf,
} from './ignore-until.js';
import type { CrashGroupRow, GroupState } from './types.js';

/** What people set in groups; absent fields keep their values. */
export interface GroupTriage {
  state?: GroupState;
  /** Only with RESOLVED; null or absent: the next version, whatever its name. */
  resolvedInVersion?: string | null;
  /** Only with IGNORED; null or absent: until a person opens it. */
  ignoreUntil?: IgnoreUntil | null;
  assignee?: string | null;
  note?: string | null;
  ticketUrl?: string | null;
}

const MAX_ASSIGNEE = 200;
const MAX_NOTE = 10_000;
const MAX_VERSION = 64;
const MAX_TICKET_URL = 2_000;

/** The columns of one group, which is locked. A person who sets a state has seen that the group had regressed. */
export function columnsOf(triage: GroupTriage, { count }: CrashGroupRow, now: Date) {
  const { state, resolvedInVersion = null, ignoreUntil = null, assignee, note, ticketUrl } = triage;
  const isResolved = state === 'RESOLVED';
  const stateColumns = {
    resolvedAt: isResolved ? now : null,
    resolvedInVersion: isResolved ? resolvedInVersion : null,
    regressedAt: null,
    regressedInVersion: null,
    ...(state === 'IGNORED' ? ignoreColumns(ignoreUntil, count, now) : NOT_IGNORED),
  };
  return {
    ...(state === undefined ? {} : { state, ...stateColumns }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(note === undefined ? {} : { note: noteOf(note) }),
    ...(ticketUrl === undefined ? {} : { ticketUrl }),
  };
}

/** What becomes activity of the group: what is really another than before. */
export function activitiesOf(triage: GroupTriage, before: CrashGroupRow, at: Date): Activity[] {
  const { state, assignee, note, ticketUrl } = triage;
  const activities: Activity[] = [];
  if (state !== undefined && !isSameState(triage, before)) activities.push(stateActivity(state, triage, at));
  if (assignee !== undefined && assignee !== before.assignee)
    activities.push({ kind: assignee === null ? 'UNASSIGNED' : 'ASSIGNED', text: assignee, at });
  if (note !== undefined && noteOf(note) !== before.note)
    activities.push({ kind: 'NOTED', text: noteOf(note), at });
  if (ticketUrl !== undefined && ticketUrl !== before.ticketUrl)
    activities.push({ kind: 'TICKET', text: ticketUrl, at });
  return activities;
}

function stateActivity(
  state: GroupState,
  { resolvedInVersion = null, ignoreUntil = null }: GroupTriage,
  at: Date,
): Activity {
  if (state === 'RESOLVED') return { kind: 'RESOLVED', text: resolvedInVersion, at };
  if (state === 'IGNORED') return { kind: 'IGNORED', text: untilText(ignoreUntil), at };
  return { kind: 'REOPENED', at };
}

function isSameState(triage: GroupTriage, before: CrashGroupRow): boolean {
  if (triage.state !== before.state || before.regressedAt !== null) return false;
  if (triage.state === 'RESOLVED') return (triage.resolvedInVersion ?? null) === before.resolvedInVersion;
  return triage.state === 'OPEN' || untilText(triage.ignoreUntil ?? null) === untilTextOf(before);
}

/** A note of blanks is none. */
export function noteOf(note: string | null): string | null {
  return note === null || note.trim() === '' ? null : note;
}

/** @param fieldOf the input that a part of the triage came from. @throws DomainError BAD_USER_INPUT */
export function checkTriage(
  triage: GroupTriage,
  now: Date,
  fieldOf: (part: keyof GroupTriage) => string = (part) => part,
): void {
  const { state, resolvedInVersion, ignoreUntil, assignee, note, ticketUrl } = triage;
  if (resolvedInVersion != null && state !== 'RESOLVED')
    throw badInput('resolvedInVersion belongs to the state RESOLVED.', {
      field: fieldOf('resolvedInVersion'),
    });
  if (ignoreUntil != null && state !== 'IGNORED')
    throw badInput('ignoreUntil belongs to the state IGNORED.', { field: fieldOf('ignoreUntil') });
  if (ignoreUntil != null) checkIgnoreUntil(ignoreUntil, now, fieldOf('ignoreUntil'));
  if (resolvedInVersion != null && !isText(resolvedInVersion, MAX_VERSION))
    throw badInput(`A version is 1 to ${MAX_VERSION} characters; omit it for "the next version".`, {
      field: fieldOf('resolvedInVersion'),
    });
  if (assignee != null && !isText(assignee, MAX_ASSIGNEE))
    throw badInput(`An assignee is 1 to ${MAX_ASSIGNEE} characters, or null for nobody.`, {
      field: fieldOf('assignee'),
    });
  if (note != null && note.length > MAX_NOTE)
    throw badInput(`A note has at most ${MAX_NOTE} characters.`, { field: fieldOf('note') });
  if (ticketUrl != null && !isTicketUrl(ticketUrl))
    throw badInput(
      `A ticket is an address that begins with https:// and has at most ${MAX_TICKET_URL} characters, or null for none.`,
      { field: fieldOf('ticketUrl') },
    );
}

function isText(text: string, maxLength: number): boolean {
  return text.trim() !== '' && text.length <= maxLength;
}

/** It becomes a link on the page. */
function isTicketUrl(url: string): boolean {
  if (url.length > MAX_TICKET_URL || /\s/.test(url) || !URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  return protocol === 'https:' && hostname !== '' && username === '' && password === '';
}
