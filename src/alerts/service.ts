import { randomBytes } from 'node:crypto';
import type { Audit, AuditNote, Noter } from '../audit/service.js';
import { lockGroups } from '../crash-groups/locks.js';
import { currentGroupId } from '../crash-groups/merged-groups.js';
import { badInput, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import type { AlertFormat } from './formats.js';
import { newDelivery, writeSpikesOfRule } from './outbox.js';
import { createAlertQueries } from './read.js';
import type { AlertDeliveryRow, AlertRuleRow } from './types.js';

export type AlertService = ReturnType<typeof createAlertService>;

export interface NewAlertRule {
  name: string;
  url: string;
  format: AlertFormat;
  onNew: boolean;
  onRegression: boolean;
  spikeCount: number | null;
  modelCode: string | null;
  groupId: number | null;
  enabled: boolean;
}

const MAX_RULES = 100;
const MAX_URL = 2_000;
const MAX_SPIKE = 1_000_000;

/** The alert rules: which crashes each one reports, and to which address. */
export function createAlertService({ db, clock, audit, wake }: AlertServiceDeps) {
  return {
    ...createAlertQueries(db),

    /**
     * Returns the rule with its secret, which is shown only once. Existing spikes of this hour are sent at once.
     * @throws DomainError BAD_USER_INPUT, NOT_FOUND
     */
    async create(rule: NewAlertRule): Promise<AlertRuleRow> {
      check(rule);
      const secret = randomBytes(32).toString('base64url');
      return withSpikes(async (tx, note) => {
        const columns = await columnsOf(tx, rule);
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
        const data = await columnsOf(tx, changes);
        const before = await lockRule(tx, id);
        check({ ...before, ...changes });
        if (changes.enabled === false) {
          await tx.alertDelivery.updateMany({
            where: { ruleId: id, status: 'PENDING' },
            data: { status: 'FAILED', error: 'the rule was switched off' },
          });
        }
        const rule = await tx.alertRule.update({ where: { id }, data: { ...data, updatedAt: clock.now() } });
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
          data: newDelivery(id, { event: 'TEST', at: now.toISOString(), group: null }, now),
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
async function columnsOf<Rule extends Partial<NewAlertRule>>(tx: DbTransaction, rule: Rule) {
  const { modelCode, ...columns } = rule;
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

type Checked = Pick<NewAlertRule, 'name' | 'url' | 'onNew' | 'onRegression' | 'spikeCount'>;

function check({ name, url, onNew, onRegression, spikeCount }: Checked): void {
  if (name.trim() === '' || name.length > 200 || /[\t\r\n]/.test(name))
    throw badInput('A name is 1 to 200 characters on one line.', { field: 'name' });
  const isWebAddress = url.length <= MAX_URL && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (!isWebAddress)
    throw badInput(`A url is an http:// or https:// address of at most ${MAX_URL} characters.`, {
      field: 'url',
    });
  if (spikeCount !== null && (spikeCount < 2 || spikeCount > MAX_SPIKE)) {
    throw badInput(`A spike is 2 to ${MAX_SPIKE} crashes of a group in an hour.`, { field: 'spikeCount' });
  }
  if (!onNew && !onRegression && spikeCount === null) {
    throw badInput('The rule would never send anything: set onNew, onRegression or spikeCount.', {
      field: 'onNew',
    });
  }
}

interface AlertServiceDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
  /** Wakes the sender, because there is something to send. */
  wake: () => void;
}
