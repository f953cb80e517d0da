import { NAMES } from '../coredumps/kind.js';
import { type AlertLinks, groupLink } from './links.js';
import type { Alert, AlertCrash, AlertFrame, DigestItem, StorageUse, WaitingBuild } from './payload.js';
import { cut, oneLine } from './plain-text.js';

/**
 * An alert in words, the same for every format. All texts are plain: a format escapes each of them for its target, our
 * own words included. Links are safe: each is made of our own parts, or was checked as an https address.
 */
export interface Message {
  /** "New crash: LoadProhibited in sensor_read (sensor.c)" */
  title: string;
  /** The reason in plain English; null where there is none. */
  cause: string | null;
  /** All of it in one or two sentences, for a notification. */
  sentence: string;
  facts: Fact[];
  frames: MessageFrame[];
  /** For digests and waiting builds. */
  items: MessageItem[];
  /** What `items` leaves out: "and 7 more". */
  rest: string | null;
  url: string | null;
  links: Array<{ label: string; url: string }>;
  urgency: 'info' | 'normal' | 'high';
  at: string;
}

export interface Fact {
  name: string;
  value: string;
}

export interface MessageFrame {
  /** "sensor_read" */
  name: string;
  /** "sensor.c:88"; empty when it is unknown. */
  place: string;
  url: string | null;
}

export interface MessageItem {
  text: string;
  detail: string;
  url: string | null;
}

const MAX_NAME = 120;
const MAX_FILE = 80;
const MAX_FACT = 100;

/** @param pageUrl the beginning of links to the groups of a digest */
export function messageOf(alert: Alert, links: AlertLinks, pageUrl: string | null): Message {
  const { title, sentence, urgency } = wordsOf(alert);
  const cause = alert.crash?.cause ?? null;
  return {
    title,
    sentence,
    urgency,
    at: alert.at,
    cause: cause === null ? null : oneLine(cause.replaceAll('`', '')),
    facts: factsOf(alert),
    frames: (alert.crash?.frames ?? []).map(frameOf),
    items: itemsOf(alert, pageUrl),
    rest: restOf(alert),
    url: links.main,
    links: [
      ...(links.group === null ? [] : [{ label: 'Open the group', url: links.group }]),
      ...(links.crash === null ? [] : [{ label: 'Open the crash', url: links.crash }]),
      ...(links.group === null && links.crash === null && links.main !== null
        ? [{ label: 'Open Coredock', url: links.main }]
        : []),
    ],
  };
}

/** "New crash: LoadProhibited in sensor_read (sensor.c)" */
export function titleOf(alert: Alert): string {
  return wordsOf(alert).title;
}

type Words = Pick<Message, 'title' | 'sentence' | 'urgency'>;

function wordsOf(alert: Alert): Words {
  const { event, group, crash } = alert;
  if (event === 'TEST') {
    const title = 'Test: this is how an alert looks';
    return { title, sentence: `${title}. The crash in it is an example.`, urgency: 'info' };
  }
  if (event === 'STORAGE' && alert.storage !== null) return wordsOfStorage(alert.storage);
  if (event === 'WAITING_BUILD') return wordsOfWaiting(alert.waiting ?? []);
  if (event === 'DIGEST') return wordsOfDigest(alert);
  if (event === 'CRASH_LOOP') return wordsOfLoop(alert);
  if (event === 'NEW_IN_VERSION') return wordsOfVersion(alert);
  if (group === null) return { title: 'Alert', sentence: 'Alert.', urgency: 'normal' };

  const what = oneLine(group.title);
  const version = oneLine(crash?.version ?? group.firmwareVersion, MAX_FACT);
  const seen = `${crashes(group.count)} on ${devices(group.deviceCount)}, the last in ${version}`;
  switch (event) {
    case 'REGRESSION':
      return {
        title: `Regression: ${what}`,
        sentence: `Regression: ${what} came back in ${version}. ${seen}.`,
        urgency: 'high',
      };
    case 'REOPENED':
      return {
        title: `Not ignored any more: ${what}`,
        sentence: `Not ignored any more: ${what} crashed in ${version}. ${seen}.`,
        urgency: 'normal',
      };
    case 'SPIKE': {
      const rate = `crashed ${times(group.crashesInHour ?? 0)} within an hour`;
      return { title: `Spike: ${what}`, sentence: `Spike: ${what} ${rate}. ${seen}.`, urgency: 'high' };
    }
    default:
      return {
        title: `New crash: ${what}`,
        sentence: `New crash: ${what}, in ${version}.`,
        urgency: 'normal',
      };
  }
}

function wordsOfVersion({ group, crash }: Alert): Words {
  const version = oneLine(crash?.version ?? '', MAX_FACT);
  const model = oneLine(crash?.model.name ?? '', MAX_FACT);
  const what = group === null ? '' : `: ${oneLine(group.title)}`;
  const title = `First crash of ${version} on ${model}${what}`;
  return { title, sentence: `${title}.`, urgency: 'normal' };
}

function wordsOfLoop({ group, crash, loopCrashes }: Alert): Words {
  const device = crash === null ? 'a device' : deviceName(crash);
  const what = group === null ? '' : `, the last: ${oneLine(group.title)}`;
  return {
    title: `Crash loop: ${device}`,
    sentence: `Crash loop: ${device} crashed ${times(loopCrashes ?? 0)} within an hour${what}.`,
    urgency: 'high',
  };
}

function wordsOfWaiting(waiting: readonly WaitingBuild[]): Words {
  const [first] = waiting;
  const total = waiting.reduce((sum, { coredumpCount }) => sum + coredumpCount, 0);
  const wait = total === 1 ? 'waits' : 'wait';
  const title =
    first !== undefined && waiting.length === 1
      ? `Upload ${oneLine(first.firmwareVersion, MAX_FACT)} of ${oneLine(first.model.name, MAX_FACT)}: ${crashes(total)} ${wait} for it`
      : `Upload ${waiting.length} builds: ${crashes(total)} ${wait} for them`;
  return { title, sentence: `${title}.`, urgency: 'normal' };
}

function wordsOfStorage({ percent, usedBytes, limitBytes, of }: StorageUse): Words {
  const what = of === 'LIMIT' ? 'MAX_STORAGE_BYTES' : 'The disk';
  const title = `Storage nearly full: ${percent} % in use`;
  return {
    title,
    sentence: `${title}. ${what}: ${bytes(usedBytes)} of ${bytes(limitBytes)}.`,
    urgency: 'high',
  };
}

function wordsOfDigest({ digest }: Alert): Words {
  const [newest] = digest?.items ?? [];
  const title = `${plural(digest?.alerts ?? 0, 'alert')} of Coredock`;
  const first = newest === undefined ? '' : `, the newest: ${oneLine(newest.title)}`;
  return { title, sentence: `${title}${first}.`, urgency: 'info' };
}

function factsOf(alert: Alert): Fact[] {
  const { group, crash, storage, digest } = alert;
  const facts: Array<[name: string, value: string | null]> = [
    ['Model', crash === null ? null : named(crash.model.name, crash.model.code)],
    ['Device', crash === null ? null : deviceName(crash)],
    ['Version', crash?.version ?? group?.firmwareVersion ?? null],
    ['Chip', crash?.chip ?? null],
    ['Task', crash?.task ?? null],
    // A core dump is what everybody expects.
    ['Source', crash === null || crash.source === 'CORE_DUMP' ? null : NAMES[crash.source]],
    ['Crashes', group === null ? null : `${number(group.count)} on ${devices(group.deviceCount)}`],
    ['In this hour', group?.crashesInHour == null ? null : number(group.crashesInHour)],
    ['In an hour', alert.loopCrashes === null ? null : `${crashes(alert.loopCrashes)} of this device`],
    ['In use', storage === null ? null : `${bytes(storage.usedBytes)} of ${bytes(storage.limitBytes)}`],
    ['From', digest === null ? null : minute(digest.from)],
    ['To', digest === null ? null : minute(digest.to)],
  ];
  return facts.flatMap(([name, value]) => {
    const text = value === null ? '' : oneLine(value, MAX_FACT);
    return text === '' ? [] : [{ name, value: text }];
  });
}

function frameOf({ function: name, file, line, sourceUrl }: AlertFrame): MessageFrame {
  // The end of a path says more than its beginning.
  const base = file === null ? '' : (oneLine(file, 1_000).split(/[/\\]/).at(-1) ?? '');
  return {
    name: oneLine(name ?? '??', MAX_NAME),
    place: base === '' ? '' : `${cut(base, MAX_FILE)}${line === null ? '' : `:${line}`}`,
    url: sourceUrl,
  };
}

function itemsOf({ waiting, digest }: Alert, pageUrl: string | null): MessageItem[] {
  return [
    ...(waiting ?? []).map((build) => ({
      text: `${oneLine(build.model.name, MAX_FACT)} ${oneLine(build.firmwareVersion, MAX_FACT)}`,
      detail: [
        `${crashes(build.coredumpCount)} of ${devices(build.deviceCount)}`,
        ...(build.elfSha256 === null ? [] : [`SHA-256 ${oneLine(build.elfSha256, 64)}`]),
      ].join(', '),
      url: pageUrl === null ? null : `${pageUrl}/firmware/${encodeURIComponent(build.model.code)}`,
    })),
    ...(digest?.items ?? []).map((item) => ({
      text: oneLine(item.title),
      detail: detailOf(item),
      url: groupLink(item.groupId, pageUrl),
    })),
  ];
}

function detailOf({ alerts, count, deviceCount, versions }: DigestItem): string {
  return [
    ...(alerts > 1 ? [plural(alerts, 'alert')] : []),
    ...(count === null ? [] : [`${crashes(count)} on ${devices(deviceCount ?? 0)}`]),
    ...(versions.length === 0 ? [] : [`in ${versions.map((version) => oneLine(version, 40)).join(', ')}`]),
  ].join(', ');
}

function restOf({ digest }: Alert): string | null {
  return digest === null || digest.more === 0 ? null : `and ${number(digest.more)} more`;
}

/** "Kitchen (serial SN-17)" */
function deviceName({ device: { key, serial, name } }: AlertCrash): string {
  return oneLine(named(name ?? serial ?? key, name === null ? key : (serial ?? key)), MAX_FACT);
}

function named(name: string, id: string): string {
  return name === id ? name : `${name} (${id})`;
}

function minute(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

/** "1.5 GB", in powers of ten as disks are sold. */
function bytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const exponent = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** exponent;
  return `${exponent === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[exponent]}`;
}

const number = (count: number): string => count.toLocaleString('en');
const plural = (count: number, noun: string) => `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
const crashes = (count: number) => (count === 1 ? '1 crash' : `${number(count)} crashes`);
const devices = (count: number) => plural(count, 'device');
const times = (count: number) => (count === 1 ? 'once' : `${number(count)} times`);
