import { randomBytes } from 'node:crypto';
import { badInput, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Db, Prisma } from '../platform/database/database.js';
import type { AlertFormat } from './formats.js';
import { aDelivery } from './outbox.js';

export type AlertRuleRow = Prisma.AlertRuleGetPayload<object>;
export type AlertDeliveryRow = Prisma.AlertDeliveryGetPayload<object>;
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
}

const MAX_RULES = 100;
const MAX_URL = 2_000;
const MAX_SPIKE = 1_000_000;
const MAX_LOG = 100;

/** Who is told of which crashes. */
export function createAlertService({ db, clock, wake }: AlertServiceDeps) {
  return {
    list: () => db.alertRule.findMany({ orderBy: { id: 'desc' } }),

    /** With its secret, which is shown this once. @throws DomainError BAD_USER_INPUT, NOT_FOUND */
    async create(rule: NewAlertRule): Promise<AlertRuleRow> {
      const { modelCode, ...columns } = rule;
      check(rule);
      if ((await db.alertRule.count()) >= MAX_RULES) throw badInput(`There are at most ${MAX_RULES} rules.`);
      const model =
        modelCode === null ? null : await db.deviceModel.findUnique({ where: { code: modelCode } });
      if (model === null && modelCode !== null) throw notFound('device model', modelCode);
      if (rule.groupId !== null) {
        const group = await db.crashGroup.findUnique({ where: { id: rule.groupId }, select: { id: true } });
        if (group === null) throw notFound('crash group', rule.groupId);
      }
      const secret = randomBytes(32).toString('base64url');
      const data = { ...columns, modelId: model?.id ?? null, secret, createdAt: clock.now() };
      return db.alertRule.create({ data });
    },

    /** What has not been sent yet goes with it. @throws DomainError NOT_FOUND */
    async delete(id: number): Promise<void> {
      const { count } = await db.alertRule.deleteMany({ where: { id } });
      if (count === 0) throw notFound('alert rule', id);
    },

    /** Sends a test, once, in the background; its delivery tells how it went. @throws DomainError NOT_FOUND */
    async test(id: number): Promise<AlertDeliveryRow> {
      if ((await db.alertRule.count({ where: { id } })) === 0) throw notFound('alert rule', id);
      const now = clock.now();
      const delivery = await db.alertDelivery.create({
        data: aDelivery(id, { event: 'TEST', at: now.toISOString(), group: null }, now),
      });
      wake();
      return delivery;
    },

    /** Newest first. @throws DomainError BAD_USER_INPUT */
    async deliveries(ruleId: number | null, take: number): Promise<AlertDeliveryRow[]> {
      if (take < 1 || take > MAX_LOG) throw badInput(`"first" is from 1 to ${MAX_LOG}.`);
      const where = ruleId === null ? {} : { ruleId };
      return db.alertDelivery.findMany({ where, orderBy: { id: 'desc' }, take });
    },
  };
}

function check({ name, url, onNew, onRegression, spikeCount }: NewAlertRule): void {
  if (name.trim() === '' || name.length > 200) throw badInput('A name is 1 to 200 characters.');
  const isWebAddress = url.length <= MAX_URL && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (!isWebAddress)
    throw badInput(`The url is not an http:// or https:// address of at most ${MAX_URL} characters.`);
  if (spikeCount !== null && (spikeCount < 2 || spikeCount > MAX_SPIKE)) {
    throw badInput(`A spike is 2 to ${MAX_SPIKE} crashes of a group in an hour.`);
  }
  if (!onNew && !onRegression && spikeCount === null) {
    throw badInput('The rule would never tell anything: set onNew, onRegression or spikeCount.');
  }
}

interface AlertServiceDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  /** Tells the sender that there is something to send. */
  wake: () => void;
}
