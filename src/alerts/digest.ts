import { titleOf } from './message.js';
import { type Alert, bareAlert, type DigestItem, MAX_DIGEST_ITEMS } from './payload.js';

const MAX_VERSIONS = 5;

/**
 * One alert that stands for several: an entry for each group, or other subject, with the numbers of its newest alert.
 *
 * @param alerts newest first
 * @param unread further ones, which are only counted
 */
export function digestOf(alerts: readonly Alert[], unread: number, at: Date): Alert {
  const items = new Map<string, DigestItem>();
  let more = 0;
  let count = unread;
  for (const each of alerts) {
    // A digest that was itself held by quiet hours.
    more += each.digest?.more ?? 0;
    count += each.digest?.alerts ?? 1;
    for (const item of each.digest?.items ?? [itemOf(each)]) add(items, item);
  }
  const all = [...items.values()];
  const shown = all.slice(0, MAX_DIGEST_ITEMS);
  const times = alerts.map((each) => each.digest?.from ?? each.at).sort();
  return {
    ...bareAlert('DIGEST', at),
    digest: {
      from: times[0] ?? at.toISOString(),
      to: at.toISOString(),
      alerts: count,
      items: shown,
      more: more + all.length - shown.length,
    },
  };
}

function add(items: Map<string, DigestItem>, item: DigestItem): void {
  // A version or a device may crash in many groups, and a group in many versions and devices.
  const isOfGroup = item.event !== 'NEW_IN_VERSION' && item.event !== 'CRASH_LOOP';
  const key = (isOfGroup ? item.groupId : null) ?? `${item.event} ${item.title}`;
  const newer = items.get(key);
  if (newer === undefined) {
    items.set(key, item);
    return;
  }
  const versions = [...new Set([...newer.versions, ...item.versions])].slice(0, MAX_VERSIONS);
  items.set(key, { ...newer, alerts: newer.alerts + item.alerts, versions });
}

function itemOf(each: Alert): DigestItem {
  const { event, at, group, crash } = each;
  const version = crash?.version ?? group?.firmwareVersion;
  return {
    event,
    title: titleOf(each),
    groupId: group?.id ?? null,
    alerts: 1,
    count: group?.count ?? null,
    deviceCount: group?.deviceCount ?? null,
    versions: version === undefined ? [] : [version],
    at,
  };
}
