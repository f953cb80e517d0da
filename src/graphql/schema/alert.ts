import { titleOf } from '../../alerts/message.js';
import { ALERT_EVENTS, ALERT_FORMATS, alert } from '../../alerts/payload.js';
import { readRecipients } from '../../alerts/recipients.js';
import { DIGESTS } from '../../alerts/release.js';
import { type AlertDeliveryRow, type AlertRuleRow, DELIVERY_STATUSES } from '../../alerts/types.js';
import { timeText } from '../../alerts/wall-clock.js';
import { decodeGlobalId } from '../../global-ids.js';
import { AlertDeliveryStatus, AlertDigest, AlertEvent, AlertFormat } from './alert-enums.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { DeviceModel } from './device-model.js';
import { rowIdOf } from './inputs.js';

export const AlertRule = builder.objectRef<AlertRuleRow>('AlertRule');
export const AlertDelivery = builder.objectRef<AlertDeliveryRow>('AlertDelivery');

const AlertQuietHours = builder.objectRef<{ from: string; to: string }>('AlertQuietHours').implement({
  description: 'Times of day between which a rule sends nothing, by the clocks of its time zone.',
  fields: (t) => ({
    from: t.exposeString('from', { description: 'The first minute of them: `22:00`.' }),
    to: t.exposeString('to', {
      description: 'The first minute after them: `07:00`. Earlier than `from`: it is of the next day.',
    }),
  }),
});

builder.node(AlertRule, {
  description: 'Where alerts are sent, and for which crashes. An installation has at most 100 rules.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.alerts.ruleById.load(rowIdOf(id)),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people: 1 to 200 characters on one line.' }),
    target: t.string({
      description:
        'Scheme and host of the URL: `https://hooks.slack.com`. The rest may be a secret and is not shown. For mails ' +
        '`mailto:`; see `recipients`.',
      resolve: ({ url }) => (url.startsWith('mailto:') ? 'mailto:' : new URL(url).origin),
    }),
    recipients: t.stringList({
      description: 'For MAIL: the addresses. Otherwise empty.',
      resolve: ({ recipients }) => readRecipients(recipients),
    }),
    hasAccessToken: t.boolean({
      description: 'For NTFY: whether it has an access token, which is never shown.',
      resolve: ({ accessToken }) => accessToken !== null,
    }),
    format: t.field({
      type: AlertFormat,
      description: 'What it sends, and how.',
      resolve: ({ format }) => ALERT_FORMATS.find((known) => known === format) ?? 'GENERIC',
    }),
    onNew: t.exposeBoolean('onNew', { description: 'It alerts for the first crash of a group.' }),
    onRegression: t.exposeBoolean('onRegression', {
      description: 'It alerts when a resolved group crashes again.',
    }),
    spikeCount: t.exposeInt('spikeCount', {
      nullable: true,
      description:
        'This many crashes of one group within one clock hour are a spike, 2 at least. Null: no alerts for spikes.',
    }),
    onNewInVersion: t.exposeBoolean('onNewInVersion', {
      description: 'It alerts for the first crash of a version of a model that had none before.',
    }),
    loopCrashes: t.exposeInt('loopCrashes', {
      nullable: true,
      description:
        'This many crashes of one device within an hour are a crash loop, 2 at least. Null: no alerts for loops.',
    }),
    onWaitingBuild: t.exposeBoolean('onWaitingBuild', {
      description: 'It alerts for dumps that have waited ten minutes for a build that nobody has uploaded.',
    }),
    storagePercent: t.exposeInt('storagePercent', {
      nullable: true,
      description:
        'It alerts when so many percent of MAX_STORAGE_BYTES or of a disk are in use: 90. Null: no alerts for it.',
    }),
    quietHours: t.field({
      type: AlertQuietHours,
      nullable: true,
      description: 'When nothing but tests is sent. Null: never.',
      resolve: ({ quietFrom, quietTo }) =>
        quietFrom === null || quietTo === null ? null : { from: timeText(quietFrom), to: timeText(quietTo) },
    }),
    timeZone: t.exposeString('timeZone', {
      description: 'The time zone of quiet hours and digests: `Europe/Berlin`.',
    }),
    digest: t.field({
      type: AlertDigest,
      description: 'Whether its alerts are collected. Alerts about the storage are not.',
      resolve: ({ digest }) => DIGESTS.find((known) => known === digest) ?? 'NONE',
    }),
    digestAt: t.string({
      nullable: true,
      description: 'For DAILY: when, by the clocks of its time zone: `08:00`. Otherwise null.',
      resolve: ({ digestAt }) => (digestAt === null ? null : timeText(digestAt)),
    }),
    model: t.field({
      type: DeviceModel,
      nullable: true,
      description: 'Only crashes of this model. Null: of every model.',
      resolve: ({ modelId }, _, { loaders }) =>
        modelId === null ? null : loaders.devices.modelById.load(modelId),
    }),
    crashGroup: t.field({
      type: CrashGroup,
      nullable: true,
      description: 'Only this group. Null: every group.',
      resolve: ({ groupId }, _, { loaders }) =>
        groupId === null ? null : loaders.crashGroups.byId.load(groupId),
    }),
    enabled: t.exposeBoolean('enabled', {
      description:
        'False: it sends only test alerts. A rule is also switched off when its group or model is deleted.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.field({
      type: 'DateTime',
      description: 'When a person last changed it; at first its `createdAt`.',
      resolve: ({ createdAt, updatedAt }) => updatedAt ?? createdAt,
    }),
  }),
});

builder.node(AlertDelivery, {
  description: 'One alert and the state of its delivery. Kept for 30 days after it was written.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.alerts.deliveryById.load(rowIdOf(id)),
  fields: (t) => ({
    rule: t.field({
      type: AlertRule,
      nullable: true,
      description: 'The rule that sends it. Null when the rule was deleted a moment ago.',
      resolve: ({ ruleId }, _, { loaders }) => loaders.alerts.ruleById.load(ruleId),
    }),
    event: t.field({
      type: AlertEvent,
      description: 'Why it is sent.',
      resolve: ({ event }) => ALERT_EVENTS.find((known) => known === event) ?? 'TEST',
    }),
    subject: t.string({
      description: 'What it says, in one line: `New crash: LoadProhibited in sensor_read (sensor.c)`.',
      resolve: ({ payload }) => {
        const told = readPayload(payload);
        return told === null ? 'Alert' : titleOf(told);
      },
    }),
    crashGroup: t.field({
      type: CrashGroup,
      nullable: true,
      description: 'The group that it is about. Null where it is about none, and when the group is gone.',
      resolve: ({ payload }, _, { loaders }) => {
        const id = decodeGlobalId('CrashGroup', readPayload(payload)?.group?.id ?? '');
        return id === null ? null : loaders.crashGroups.byId.load(id);
      },
    }),
    status: t.field({
      type: AlertDeliveryStatus,
      description: 'Whether it has arrived.',
      resolve: ({ status }) => DELIVERY_STATUSES.find((known) => known === status) ?? 'PENDING',
    }),
    heldUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is let go, by itself or in a digest. Null unless it is HELD.',
      resolve: ({ status, dueAt }) => (status === 'HELD' ? dueAt : null),
    }),
    attempts: t.exposeInt('attempts', {
      description: 'Number of attempts so far: 12 at most, and one for a test.',
    }),
    httpStatus: t.exposeInt('httpStatus', {
      nullable: true,
      description:
        'Status of the target’s answer to the last attempt: 200. Null without an answer, and for mails.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description:
        'Why the last attempt failed, as a short English text; of a DELIVERED mail, the recipients that were refused. Null: nothing failed.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the alert was written.' }),
    deliveredAt: t.expose('deliveredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the target accepted it. Null: not yet, or in a digest.',
    }),
  }),
});

function readPayload(payload: string) {
  const read = alert.safeParse(JSON.parse(payload));
  return read.success ? read.data : null;
}
