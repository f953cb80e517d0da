import type { Alert } from './payload.js';

/** Where the parts of an alert are on the page. Made of our own parts only: a setting, and ids without markup. */
export interface AlertLinks {
  /** Of what the alert is about: the group, the crash, the model that waits. */
  main: string | null;
  group: string | null;
  crash: string | null;
}

/**
 * @param pageUrl the beginning of links; null: it is not known, and there are none
 * @param ruleId of the rule that sends the alert
 */
export function linksOf(alert: Alert, pageUrl: string | null, ruleId: string): AlertLinks {
  const to = (...path: string[]) =>
    pageUrl === null ? null : [pageUrl, ...path.map(encodeURIComponent)].join('/');
  if (alert.event === 'TEST') return { main: to('alerts', ruleId), group: null, crash: null };
  const group = alert.group === null ? null : to('groups', alert.group.id);
  const crash = alert.crash === null ? null : to('dumps', alert.crash.coredumpId);
  return { main: group ?? crash ?? placeOf(alert, to), group, crash };
}

/** The link of one entry of a digest. */
export function groupLink(groupId: string | null, pageUrl: string | null): string | null {
  return groupId === null || pageUrl === null ? null : `${pageUrl}/groups/${encodeURIComponent(groupId)}`;
}

function placeOf(alert: Alert, to: (...path: string[]) => string | null): string | null {
  switch (alert.event) {
    case 'WAITING_BUILD': {
      const [first, ...others] = alert.waiting ?? [];
      return first === undefined || others.some(({ model }) => model.code !== first.model.code)
        ? to('firmware')
        : to('firmware', first.model.code);
    }
    case 'DIGEST':
      return to('groups');
    default:
      return to();
  }
}
