import { encodeGlobalId } from '../../global-ids.js';
import { AlertDelivery, AlertRule } from './alert.js';
import { AlertDigest, AlertFormat } from './alert-enums.js';
import { AlertQuietHoursInput, digestAtOf, quietHoursOf } from './alert-times.js';
import { builder } from './builder.js';
import { present, requireId } from './inputs.js';

const NAME = 'For people: 1 to 200 characters on one line.';
const RECIPIENTS = 'For MAIL: 1 to 20 addresses, such as `oncall@example.org`.';
const ACCESS_TOKEN =
  'For NTFY: the access token of a protected topic, `tk_…`. It is stored, and never shown.';
const LOOP =
  'Alert for this many crashes of one device within an hour: 2 to MAX_COREDUMPS. Once, until the device had an hour ' +
  'without a crash.';
const STORAGE =
  'Alert when so many percent of MAX_STORAGE_BYTES or of a disk are in use: 1 to 100. Once, until it is five percent ' +
  'less. Not with `modelCode` or `crashGroupId`.';
const QUIET = 'Times between which nothing but tests is sent; afterwards there is one message for all of it.';
const ZONE = 'A name of the time zone database, for quiet hours and digests: `Europe/Berlin`.';
const DIGEST_AT = 'For DAILY: when, by the clocks of the time zone: `08:00`, which is also the default.';
const RULE_ID = 'Global id of the rule.';

builder.relayMutationField(
  'createAlertRule',
  {
    description:
      'Input of `createAlertRule`. It must alert for something: at least one of `onNew`, `onRegression`, `spikeCount`, ' +
      '`onNewInVersion`, `loopCrashes`, `onWaitingBuild` and `storagePercent`.',
    inputFields: (t) => ({
      name: t.string({ required: true, description: NAME }),
      url: t.string({
        description:
          'A webhook of Slack, Discord or Teams, the topic of ntfy (`https://ntfy.sh/my-topic`), or your own receiver: ' +
          'http:// or https://, at most 2,000 characters. Required unless the format is MAIL.',
      }),
      format: t.field({ type: AlertFormat, required: true, description: 'What the target understands.' }),
      recipients: t.stringList({ description: RECIPIENTS }),
      accessToken: t.string({ description: ACCESS_TOKEN }),
      onNew: t.boolean({ required: true, defaultValue: true, description: 'Alert for a new group.' }),
      onRegression: t.boolean({
        required: true,
        defaultValue: true,
        description: 'Alert for a resolved group that crashed again.',
      }),
      spikeCount: t.int({
        description:
          'Alert for this many crashes of one group within one clock hour; with `modelCode` only that model’s crashes ' +
          'count. At most one alert an hour.',
      }),
      onNewInVersion: t.boolean({
        required: true,
        defaultValue: false,
        description:
          'Alert for the first crash of a version of a model, whatever its group. Once per version.',
      }),
      loopCrashes: t.int({ description: LOOP }),
      onWaitingBuild: t.boolean({
        required: true,
        defaultValue: false,
        description:
          'Alert for dumps that have waited ten minutes for a build. Once per build. Not with `crashGroupId`.',
      }),
      storagePercent: t.int({ description: STORAGE }),
      quietHours: t.field({ type: AlertQuietHoursInput, description: QUIET }),
      timeZone: t.string({ required: true, defaultValue: 'UTC', description: ZONE }),
      digest: t.field({
        type: AlertDigest,
        required: true,
        defaultValue: 'NONE',
        description: 'Whether alerts are collected into one message. Those about the storage are not.',
      }),
      digestAt: t.string({ description: DIGEST_AT }),
      modelCode: t.string({ description: 'Only crashes of this model.' }),
      crashGroupId: t.id({ description: 'Only this group.' }),
      enabled: t.boolean({
        required: true,
        defaultValue: true,
        description: 'False: it sends only test alerts until it is switched on.',
      }),
    }),
  },
  {
    description: 'Creates an alert rule. BAD_USER_INPUT when there are 100 rules already.',
    resolve: (_, { input }, { services }) =>
      services.alerts.create({
        name: input.name,
        url: input.url ?? null,
        format: input.format,
        recipients: input.recipients ?? null,
        accessToken: input.accessToken ?? null,
        onNew: input.onNew,
        onRegression: input.onRegression,
        spikeCount: input.spikeCount ?? null,
        onNewInVersion: input.onNewInVersion,
        loopCrashes: input.loopCrashes ?? null,
        onWaitingBuild: input.onWaitingBuild,
        storagePercent: input.storagePercent ?? null,
        quietHours: quietHoursOf(input.quietHours),
        timeZone: input.timeZone,
        digest: input.digest,
        digestAt: digestAtOf(input.digestAt),
        modelCode: input.modelCode ?? null,
        groupId:
          input.crashGroupId == null ? null : requireId('CrashGroup', input.crashGroupId, 'crashGroupId'),
        enabled: input.enabled,
      }),
  },
  {
    description: 'Answer of `createAlertRule`.',
    outputFields: (t) => ({
      alertRule: t.field({ type: AlertRule, description: 'The new rule.', resolve: (rule) => rule }),
      secret: t.exposeString('secret', {
        description:
          'Key of `Coredock-Signature: t=SECONDS,v1=HEX`: HMAC-SHA-256 over `SECONDS.BODY`. Shown only here.',
      }),
    }),
  },
);

builder.relayMutationField(
  'updateAlertRule',
  {
    description:
      'Input of `updateAlertRule`. Fields that are left out keep their values; the secret never changes.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: RULE_ID }),
      name: t.string({ description: NAME }),
      url: t.string({
        description: 'The whole URL. Of the old one only `target` is ever shown.',
      }),
      format: t.field({ type: AlertFormat, description: 'What the target understands.' }),
      recipients: t.stringList({ description: RECIPIENTS }),
      accessToken: t.string({
        description: `${ACCESS_TOKEN} Null: none. It must be given again when \`url\` gets another host.`,
      }),
      onNew: t.boolean({ description: 'Alert for a new group.' }),
      onRegression: t.boolean({ description: 'Alert for a resolved group that crashed again.' }),
      spikeCount: t.int({ description: 'Null: no alerts for spikes.' }),
      onNewInVersion: t.boolean({ description: 'Alert for the first crash of a version of a model.' }),
      loopCrashes: t.int({ description: `${LOOP} Null: no alerts for loops.` }),
      onWaitingBuild: t.boolean({ description: 'Alert for dumps that wait for a build.' }),
      storagePercent: t.int({ description: `${STORAGE} Null: no alerts for it.` }),
      quietHours: t.field({ type: AlertQuietHoursInput, description: `${QUIET} Null: none.` }),
      timeZone: t.string({ description: ZONE }),
      digest: t.field({ type: AlertDigest, description: 'Whether alerts are collected into one message.' }),
      digestAt: t.string({ description: DIGEST_AT }),
      modelCode: t.string({ description: 'Null: crashes of every model.' }),
      crashGroupId: t.id({ description: 'Null: crashes of every group.' }),
      enabled: t.boolean({ description: 'False also discards what was not sent yet.' }),
    }),
  },
  {
    description:
      'Changes an alert rule. Spikes of this hour that match only now are sent at once. What is held gets its new time.',
    resolve: (_, { input }, { services }) => {
      const { id, modelCode, crashGroupId, quietHours, digestAt } = input;
      const { name, url, format, recipients, timeZone, digest, enabled } = input;
      const { onNew, onRegression, onNewInVersion, onWaitingBuild } = input;
      const { spikeCount, loopCrashes, storagePercent, accessToken } = input;
      return services.alerts.update(requireId('AlertRule', id), {
        ...present({ name, url, format, recipients, timeZone, digest, enabled }),
        ...present({ onNew, onRegression, onNewInVersion, onWaitingBuild }),
        // For these null differs from a field that is left out.
        ...(spikeCount === undefined ? {} : { spikeCount }),
        ...(loopCrashes === undefined ? {} : { loopCrashes }),
        ...(storagePercent === undefined ? {} : { storagePercent }),
        ...(accessToken === undefined ? {} : { accessToken }),
        ...(quietHours === undefined ? {} : { quietHours: quietHoursOf(quietHours) }),
        ...(digestAt === undefined ? {} : { digestAt: digestAtOf(digestAt) }),
        ...(modelCode === undefined ? {} : { modelCode }),
        ...(crashGroupId === undefined
          ? {}
          : {
              groupId: crashGroupId === null ? null : requireId('CrashGroup', crashGroupId, 'crashGroupId'),
            }),
      });
    },
  },
  {
    description: 'Answer of `updateAlertRule`.',
    outputFields: (t) => ({
      alertRule: t.field({
        type: AlertRule,
        description: 'The rule after the change.',
        resolve: (rule) => rule,
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteAlertRule',
  {
    description: 'Input of `deleteAlertRule`.',
    inputFields: (t) => ({ id: t.id({ required: true, description: RULE_ID }) }),
  },
  {
    description: 'Deletes a rule with the log of its deliveries. What was not sent yet is discarded.',
    resolve: async (_, { input: { id } }, { services }) => {
      const ruleId = requireId('AlertRule', id);
      await services.alerts.delete(ruleId);
      return { deletedAlertRuleId: encodeGlobalId('AlertRule', ruleId) };
    },
  },
  {
    description: 'Answer of `deleteAlertRule`.',
    outputFields: (t) => ({
      deletedAlertRuleId: t.exposeID('deletedAlertRuleId', { description: 'The id of the deleted rule.' }),
    }),
  },
);

builder.relayMutationField(
  'testAlertRule',
  {
    description: 'Input of `testAlertRule`.',
    inputFields: (t) => ({ id: t.id({ required: true, description: RULE_ID }) }),
  },
  {
    description:
      'Sends one test alert in the background, with an example of a crash, also for a rule that is switched off, and in ' +
      'quiet hours. The delivery shows the result.',
    resolve: (_, { input: { id } }, { services }) => services.alerts.test(requireId('AlertRule', id)),
  },
  {
    description: 'Answer of `testAlertRule`.',
    outputFields: (t) => ({
      alertDelivery: t.field({
        type: AlertDelivery,
        description: 'The delivery of the test; ask for it again by its id until its status is final.',
        resolve: (delivery) => delivery,
      }),
    }),
  },
);
