import type { Audit } from '../audit/service.js';
import { toRule } from '../coredumps/own-code.js';
import type { OwnCodeRule } from '../crashdump/index.js';
import { badInput, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { MAX_PARENTS } from '../platform/database/children.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import type { DeviceModelRow } from './types.js';

export const MAX_RULES = 100;
const MAX_PATTERN = 200;

export type OwnCodeService = ReturnType<typeof createOwnCodeService>;

/** Rules that say which code is a model's own. */
export function createOwnCodeService({ clock, audit, regroup }: OwnCodeDeps) {
  return {
    /**
     * Replaces all rules of a model, and begins to apply them to its stored dumps in the background.
     * @throws DomainError NOT_FOUND (model), BAD_USER_INPUT
     */
    async set(modelCode: string, rules: readonly OwnCodeRule[]): Promise<DeviceModelRow> {
      const wanted = checkedRules(rules);
      const changed = await audit.change(async (tx, note) => {
        // Locked first: parses that have read the old rules end before.
        const [model] = await tx.deviceModel.updateManyAndReturn({
          where: { code: modelCode },
          data: { updatedAt: clock.now() },
        });
        if (model === undefined) throw notFound('device model', modelCode, { field: 'modelCode' });
        const modelId = model.id;
        await tx.ownCodeRule.deleteMany({ where: { modelId } });
        await tx.ownCodeRule.createMany({
          data: wanted.map((rule, position) => ({ modelId, position, ...rule })),
        });
        await regroup.beginForModel(tx, modelId);
        const detail = wanted.map(wordsOf).join(', ') || 'no rules';
        await note({
          action: 'setOwnCodeRules',
          targetType: 'DeviceModel',
          targetId: modelId,
          target: modelCode,
          detail,
        });
        return model;
      });
      regroup.wake();
      return changed;
    },
  };
}

/** The rules without blanks around their patterns. @throws DomainError BAD_USER_INPUT */
export function checkedRules(rules: readonly OwnCodeRule[]): OwnCodeRule[] {
  if (rules.length > MAX_RULES)
    throw badInput(`A model has at most ${MAX_RULES} rules about own code.`, { field: 'rules' });
  return rules.map(({ kind, pattern, isOwn }, at) => {
    const text = pattern.trim();
    const field = `rules.${at}.pattern`;
    if (text === '' || text.length > MAX_PATTERN)
      throw badInput(`A pattern is 1 to ${MAX_PATTERN} characters.`, { field });
    if (kind === 'PATH' && text.includes('*'))
      throw badInput('A path has no "*": name the folder, which stands for everything in it.', { field });
    return { kind, pattern: text, isOwn };
  });
}

function wordsOf({ kind, pattern, isOwn }: OwnCodeRule): string {
  return `${isOwn ? 'own' : 'not own'}: ${kind === 'PATH' ? 'path' : 'function'} ${pattern}`;
}

/** The rules of models, in their order. */
export function createOwnCodeLoader(db: Db) {
  return new DataLoader<number, OwnCodeRule[]>(
    async (modelIds) => {
      const rows = await db.ownCodeRule.findMany({
        where: { modelId: { in: [...modelIds] } },
        orderBy: { position: 'asc' },
      });
      return modelIds.map((id) => rows.filter(({ modelId }) => modelId === id).map(toRule));
    },
    { maxBatchSize: MAX_PARENTS },
  );
}

interface OwnCodeDeps {
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
  regroup: {
    /** Begins the regrouping of a model's dumps, instead of one that runs. */
    beginForModel(tx: DbTransaction, modelId: number): Promise<void>;
    /** Called after the commit. */
    wake(): void;
  };
}
