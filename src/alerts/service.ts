import { randomBytes } from 'node:crypto';
import type { Audit, AuditNote, Noter } from '../audit/service.js';
import { lockGroups } from '../crash-groups/locks.js';
import { currentGroupId } from '../crash-groups/merged-groups.js';
import { badInput, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { newDelivery } from './delivery.js';
import { exampleAlert } from './example.js';
import { holdAnew } from './hold.js';
import { writeSpikesOfRule } from './outbox.js';
import { ALERT_FORMATS } from './payload.js';
import { createAlertQueries } from './read.js';
import { DIGESTS } from './release.js';
import {
  checkRule,
  type NewAlertRule,
  ofFormat,
  type RuleColumns,
  type RuleLimits,
  storedFields,
  wholeColumns,
} from './rule-input.js';
import type { AlertDeliveryRow, AlertRuleRow } from './types.js';

export type AlertService = ReturnType<typeof createAlertService>;

const MAX_RULES = 100;

/** The alert rules: which crashes each one reports, and to which address. */
export function createAlertService({ db, clock, audit, wake, limits }: AlertServiceDeps) {
  return {
    ...createAlertQueries(db),

    /**
     * Returns the rule with its secret, which is shown only once. Existing spikes of this hour are sent at once.
     * @throws DomainError BAD_USER_INPUT, NOT_FOUND
     */
    async create(rule: NewAlertRule): Promise<AlertRuleRow> {
      const secret = randomBytes(32).toString('base64url');
      return withSpikes(async (tx, note) => {
        const columns = ofFormat(wholeColumns(rule, await columnsOf(tx, rule)));
        checkRule(columns, limits);
        if ((await tx.alertRule.count()) >= MAX_RULES)
          throw badInput(`There are at most ${MAX_RULES} rules. Delete one that is not needed any more.`);
        const now = clock.now();
        const made = await tx.alertRule.create({
          data: { ...columns, secret, createdAt: now, updatedAt: now },
        });
        await note(onRule('createAlertRule', made));
        return { rule: made, isAboutOtherSpikes: true };
      });
    },

    /**
     * Absent fields and the secret keep their values. A rule that is switched off discards its waiting deliveries.
     * Spikes of this hour that the rule matches only now are sent at once.
     *
     * @throws DomainError BAD_USER_INPUT, NOT_FOUND
     */
    update: (id: number, changes: Partial<NewAlertRule>): Promise<AlertRuleRow> =>
      withSpikes(async (tx, note) => {
        // Locks its group first, then the rule, in the same order as merges.
        const columns = await columnsOf(tx, changes);
        const before = await lockRule(tx, id);
        checkToken(before, changes);
        const after = ofFormat({ ...asChecked(before), ...columns });
        checkRule(after, limits);
        if (changes.enabled === false) {
          await tx.alertDelivery.updateMany({
            where: { ruleId: id, status: { in: ['PENDING', 'HELD'] } },
            data: { status: 'FAILED', error: 'the rule was switched off' },
          });
        }
        const rule = await tx.alertRule.update({ where: { id }, data: { ...after, updatedAt: clock.now() } });
        if (ABOUT_TIMES.some((column) => rule[column] !== before[column])) {
          await holdAnew(tx, rule, clock.now());
        }
        await note(onRule('updateAlertRule', rule));
        const isAboutOtherSpikes = ABOUT_SPIKES.some((column) => rule[column] !== before[column]);
        return { rule, isAboutOtherSpikes };
      }),

    /** Deletes a rule and its waiting deliveries. @throws DomainError NOT_FOUND */
    async delete(id: number): Promise<void> {
      await audit.change(async (tx, note) => {
        const rule = await tx.alertRule.findUnique({ where: { id } });
        const { count } = await tx.alertRule.deleteMany({ where: { id } });
        if (rule === null || count === 0) throw notFound('alert rule', id, { field: 'id' });
        await note(onRule('deleteAlertRule', rule));
      });
    },

    /** For a model that this transaction deletes: a rule without its model would match all models. */
    async switchOffOfModel(tx: DbTransaction, modelId: number): Promise<void> {
      await tx.alertRule.updateMany({
        where: { modelId },
        data: { modelId: null, enabled: false, updatedAt: clock.now() },
      });
    },

    /** Sends a test once, in the background; its delivery has the result. @throws DomainError NOT_FOUND */
    async test(id: number): Promise<AlertDeliveryRow> {
      const now = clock.now();
      const delivery = await audit.change(async (tx, note) => {
        const rule = await tx.alertRule.findUnique({ where: { id } });
        if (rule === null) throw notFound('alert rule', id, { field: 'id' });
        await note(onRule('testAlertRule', rule));
        return tx.alertDelivery.create({
          data: newDelivery(rule, exampleAlert(now), now),
        });
      });
      wake();
      return delivery;
    },
  };

  async function withSpikes(
    change: (tx: DbTransaction, note: Noter) => Promise<{ rule: AlertRuleRow; isAboutOtherSpikes: boolean }>,
  ): Promise<AlertRuleRow> {
    const { rule, hasAlerts } = await audit.change(async (tx, note) => {
      const changed = await change(tx, note);
      const written = changed.isAboutOtherSpikes && (await writeSpikesOfRule(tx, changed.rule, clock.now()));
      return { rule: changed.rule, hasAlerts: written };
    });
    if (hasAlerts) wake();
    return rule;
  }
}

function onRule(action: string, { id, name }: Pick<AlertRuleRow, 'id' | 'name'>): AuditNote {
  return { action, targetType: 'AlertRule', targetId: id, target: name };
}

const ABOUT_SPIKES = ['enabled', 'spikeCount', 'modelId', 'groupId'] as const;
const ABOUT_TIMES = ['quietFrom', 'quietTo', 'timeZone', 'digest', 'digestAt'] as const;

/** A stored rule in the form that is checked. */
function asChecked(rule: AlertRuleRow): RuleColumns {
  const { id: _, secret: __, createdAt: ___, updatedAt: ____, ...columns } = rule;
  const format = ALERT_FORMATS.find((known) => known === rule.format) ?? 'GENERIC';
  return { ...columns, format, digest: DIGESTS.find((known) => known === rule.digest) ?? 'NONE' };
}

/** A token that is never shown must not be sent to another host by whoever may change the address. */
function checkToken(before: AlertRuleRow, { url, accessToken }: Partial<NewAlertRule>): void {
  if (before.accessToken === null || accessToken !== undefined || url == null) return;
  if (URL.canParse(url) && new URL(url).origin === new URL(before.url).origin) return;
  throw badInput('The new address has another host: give its access token too, or null if it needs none.', {
    field: 'accessToken',
  });
}

/** Locks the row by writing its own value, and returns it as it is under the lock. @throws DomainError NOT_FOUND */
async function lockRule(tx: DbTransaction, id: number): Promise<AlertRuleRow> {
  const [rule] = await tx.alertRule.updateManyAndReturn({
    where: { id },
    data: { spikeCount: { increment: 0 } },
  });
  if (rule === undefined) throw notFound('alert rule', id, { field: 'id' });
  return rule;
}

/**
 * Replaces the model's code by its id, and a merged group by the one that took it in; model and group must exist. Locks
 * the group.
 * @throws DomainError NOT_FOUND
 */
async function columnsOf(tx: DbTransaction, rule: Partial<NewAlertRule>): Promise<Partial<RuleColumns>> {
  const { modelCode } = rule;
  const columns = storedFields(rule);
  if (columns.groupId != null) columns.groupId = await lockedGroup(tx, columns.groupId);
  if (modelCode === undefined) return columns;
  if (modelCode === null) return { ...columns, modelId: null };
  const model = await tx.deviceModel.findUnique({ where: { code: modelCode } });
  if (model === null) throw notFound('device model', modelCode, { field: 'modelCode' });
  return { ...columns, modelId: model.id };
}

async function lockedGroup(tx: DbTransaction, id: number): Promise<number> {
  const groupId = await currentGroupId(tx, id);
  if (!(await lockGroups(tx, [groupId])).has(groupId))
    throw notFound('crash group', id, { field: 'crashGroupId' });
  return groupId;
}

interface AlertServiceDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
  /** Wakes the sender, because there is something to send. */
  wake: () => void;
  limits: RuleLimits;
}
