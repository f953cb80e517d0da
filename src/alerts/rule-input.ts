import { badInput } from '../errors.js';
import { ntfyTarget } from './formats/ntfy.js';
import type { AlertFormat } from './payload.js';
import { checkRecipients, readRecipients } from './recipients.js';
import { DEFAULT_DIGEST_AT, type Digest } from './release.js';
import type { AlertRuleRow } from './types.js';
import { isTimeZone } from './wall-clock.js';

export interface NewAlertRule {
  name: string;
  /** Null for mails. */
  url: string | null;
  format: AlertFormat;
  recipients: string[] | null;
  accessToken: string | null;
  onNew: boolean;
  onRegression: boolean;
  spikeCount: number | null;
  onNewInVersion: boolean;
  loopCrashes: number | null;
  onWaitingBuild: boolean;
  storagePercent: number | null;
  /** Minutes after midnight. */
  quietHours: { from: number; to: number } | null;
  timeZone: string;
  digest: Digest;
  digestAt: number | null;
  modelCode: string | null;
  groupId: number | null;
  enabled: boolean;
}

const MAX_URL = 2_000;
const MAX_SPIKE = 1_000_000;

/** The columns that a rule's fields stand for; model and group are looked up by the service. */
export type RuleColumns = Omit<NewAlertRule, 'url' | 'recipients' | 'quietHours' | 'modelCode'> &
  Pick<AlertRuleRow, 'url' | 'recipients' | 'quietFrom' | 'quietTo' | 'modelId'>;

/** The address of a rule for mails, which has recipients instead. */
const NO_URL = 'mailto:';

/** What a caller may leave out of a new rule. */
const UNSET = { quietFrom: null, quietTo: null, recipients: null, modelId: null, url: '' };

/** All columns of a new rule. @param columns of its fields */
export function wholeColumns(rule: NewAlertRule, columns: Partial<RuleColumns>): RuleColumns {
  const { modelCode: _, url: _url, recipients: _recipients, quietHours: _quietHours, ...others } = rule;
  return { ...UNSET, ...others, ...columns };
}

/** Fields that are stored in another form. */
export function storedFields(rule: Partial<NewAlertRule>) {
  const { modelCode: _, url, recipients, quietHours, ...columns } = rule;
  return {
    ...columns,
    ...(url === undefined ? {} : { url: url ?? NO_URL }),
    ...(recipients === undefined
      ? {}
      : { recipients: recipients === null ? null : JSON.stringify(recipients) }),
    ...(quietHours === undefined
      ? {}
      : { quietFrom: quietHours?.from ?? null, quietTo: quietHours?.to ?? null }),
  };
}

/** Fields that the format of the rule does not have are emptied. */
export function ofFormat<Columns extends RuleColumns>(rule: Columns): Columns {
  const isMail = rule.format === 'MAIL';
  return {
    ...rule,
    url: isMail ? NO_URL : rule.url,
    recipients: isMail ? rule.recipients : null,
    accessToken: rule.format === 'NTFY' ? rule.accessToken : null,
    digestAt: rule.digest === 'DAILY' ? (rule.digestAt ?? DEFAULT_DIGEST_AT) : null,
  };
}

export interface RuleLimits {
  hasMailer: boolean;
  /** MAX_COREDUMPS */
  maxCoredumps: number;
}

/**
 * @param rule as it would be stored
 * @throws DomainError BAD_USER_INPUT, which names the field
 */
export function checkRule(rule: RuleColumns, limits: RuleLimits): void {
  const { name } = rule;
  if (name.trim() === '' || name.length > 200 || /\p{Cc}/u.test(name))
    throw badInput('A name is 1 to 200 characters on one line.', { field: 'name' });
  checkTarget(rule, limits);
  checkEvents(rule, limits);
  checkTimes(rule);
}

function checkTarget({ format, url, recipients, accessToken }: RuleColumns, { hasMailer }: RuleLimits): void {
  if (format === 'MAIL') {
    if (!hasMailer) {
      throw badInput('This server sends no mails: its operator sets SMTP_URL and SMTP_FROM first.', {
        field: 'format',
      });
    }
    checkRecipients(readRecipients(recipients));
    return;
  }
  const isWebAddress = url.length <= MAX_URL && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (!isWebAddress)
    throw badInput(`A url is an http:// or https:// address of at most ${MAX_URL} characters.`, {
      field: 'url',
    });
  if (format !== 'NTFY') return;
  if (ntfyTarget(url) === null) {
    throw badInput('The address of ntfy is its server and a topic: https://ntfy.sh/my-topic.', {
      field: 'url',
    });
  }
  if (accessToken !== null && !/^[!-~]{1,200}$/.test(accessToken)) {
    throw badInput('An access token is 1 to 200 characters without spaces: tk_….', { field: 'accessToken' });
  }
}

function checkEvents(rule: RuleColumns, { maxCoredumps }: RuleLimits): void {
  const { onNew, onRegression, spikeCount, onNewInVersion, loopCrashes, onWaitingBuild, storagePercent } =
    rule;
  if (spikeCount !== null && (spikeCount < 2 || spikeCount > MAX_SPIKE)) {
    throw badInput(`A spike is 2 to ${MAX_SPIKE} crashes of a group in an hour.`, { field: 'spikeCount' });
  }
  if (loopCrashes !== null && (loopCrashes < 2 || loopCrashes > maxCoredumps)) {
    throw badInput(
      `A crash loop is 2 to ${maxCoredumps} crashes of a device in an hour: this server keeps ${maxCoredumps} dumps of ` +
        'a device (MAX_COREDUMPS).',
      { field: 'loopCrashes' },
    );
  }
  if (storagePercent !== null && (storagePercent < 1 || storagePercent > 100))
    throw badInput('A storage is 1 to 100 percent full.', { field: 'storagePercent' });
  if (onWaitingBuild && rule.groupId !== null) {
    throw badInput('Dumps that wait for a build are of no group yet: make a rule for their model.', {
      field: 'onWaitingBuild',
    });
  }
  if (storagePercent !== null && (rule.groupId !== null || rule.modelId !== null)) {
    throw badInput('The storage is of no model and no group: make a rule of its own for it.', {
      field: 'storagePercent',
    });
  }
  const isSilent = [onNew, onRegression, onNewInVersion, onWaitingBuild].every((isOn) => !isOn);
  if (isSilent && spikeCount === null && loopCrashes === null && storagePercent === null) {
    throw badInput(
      'The rule would never send anything: set onNew, onRegression, spikeCount, onNewInVersion, loopCrashes, ' +
        'onWaitingBuild or storagePercent.',
      { field: 'onNew' },
    );
  }
}

function checkTimes({ quietFrom, quietTo, timeZone }: RuleColumns): void {
  if (!isTimeZone(timeZone)) {
    throw badInput(
      `"${timeZone.slice(0, 64)}" is no time zone: "Europe/Berlin", "America/New_York" or "UTC".`,
      {
        field: 'timeZone',
      },
    );
  }
  if (quietFrom !== null && quietFrom === quietTo) {
    throw badInput('Quiet hours begin and end at different times; to silence a rule, switch it off.', {
      field: 'quietHours',
    });
  }
}
