import { type StorageUse, shareOf } from '../coredumps/storage-use.js';
import type { Clock } from '../platform/clock.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { newDelivery } from './delivery.js';
import { bareAlert } from './payload.js';
import { takeTold, toldKeys } from './told.js';
import type { AlertRuleRow } from './types.js';
import { tellOfWaiting } from './waiting-builds.js';

/** So much must be free again before the next alert: a storage that is cleaned a little all the time tells once. */
const HYSTERESIS_PERCENT = 5;

/** Looks for what no crash raises an alert for: dumps that wait for a build, and a storage that is nearly full. */
export function createAlertWatch({ db, clock, storage, wake }: AlertWatchDeps) {
  return {
    /** Can be killed at any moment, and run by several servers at once: the alerts are written with what was told. */
    async look(): Promise<void> {
      const now = clock.now();
      const hasWaiting = await tellOfWaiting(db, now);
      const isFull = await tellOfStorage(now);
      if (hasWaiting || isFull) wake();
    },
  };

  async function tellOfStorage(now: Date): Promise<boolean> {
    const rules = await db.alertRule.findMany({ where: { enabled: true, storagePercent: { not: null } } });
    const use = rules.length === 0 ? null : await storage();
    if (use === null) return false;
    const percent = shareOf(use) * 100;
    const isOver = (rule: AlertRuleRow) => rule.storagePercent !== null && percent >= rule.storagePercent;
    const isUnder = (rule: AlertRuleRow) =>
      rule.storagePercent !== null && percent < rule.storagePercent - HYSTERESIS_PERCENT;
    return inTransaction(db, async (tx) => {
      await clear(tx, rules.filter(isUnder), now);
      const told = rules.filter(isOver).map(({ id }) => ({ ruleId: id, key: toldKeys.storage }));
      const taken = await takeTold(tx, told, now);
      const tellable = rules.filter(({ id }) => taken.some(({ ruleId }) => ruleId === id));
      const { of, usedBytes, limitBytes } = use;
      const payload = {
        ...bareAlert('STORAGE', now),
        storage: { percent: Math.round(percent), usedBytes, limitBytes, of },
      };
      if (tellable.length > 0)
        await tx.alertDelivery.createMany({ data: tellable.map((rule) => newDelivery(rule, payload, now)) });
      return tellable.length > 0;
    });
  }

  async function clear(tx: DbTransaction, rules: readonly AlertRuleRow[], now: Date): Promise<void> {
    if (rules.length === 0) return;
    await tx.alertTold.updateMany({
      where: { ruleId: { in: rules.map(({ id }) => id) }, key: toldKeys.storage, clearedAt: null },
      data: { clearedAt: now },
    });
  }
}

interface AlertWatchDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  /** How full the storage is; null where that is not known. */
  storage: () => Promise<StorageUse | null>;
  /** Wakes the sender. */
  wake: () => void;
}
