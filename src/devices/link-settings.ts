import type { Audit } from '../audit/service.js';
import { notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import { type ModelLinks, NO_LINKS, requireLinks } from './model-links.js';
import type { DeviceModelRow } from './types.js';

export type LinkService = ReturnType<typeof createLinkService>;

/** Templates of a model's links, as people set them. */
export function createLinkService({ clock, audit }: LinkDeps) {
  return {
    /** Absent fields stay unchanged. @throws DomainError NOT_FOUND (model), BAD_USER_INPUT */
    async update(modelCode: string, changes: Partial<ModelLinks>): Promise<DeviceModelRow> {
      requireLinks(changes);
      const { sourcePrefixes, ...templates } = changes;
      const data = {
        ...templates,
        ...(sourcePrefixes === undefined ? {} : { sourcePrefix: stored(sourcePrefixes) }),
      };
      return audit.change(async (tx, note) => {
        const [model] = await tx.deviceModel.updateManyAndReturn({
          where: { code: modelCode },
          data: { updatedAt: clock.now() },
        });
        if (model === undefined) throw notFound('device model', modelCode, { field: 'modelCode' });
        const { id: modelId } = model;
        await tx.modelLinks.upsert({ where: { modelId }, create: { modelId, ...data }, update: data });
        const detail = Object.entries(changes).map(([name, value]) => `${name}: ${String(value ?? 'none')}`);
        await note({
          ...{ action: 'updateModelLinks', targetType: 'DeviceModel', targetId: modelId, target: modelCode },
          detail: detail.join('; '),
        });
        return model;
      });
    },
  };
}

interface LinkDeps {
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
}

export function createLinksLoader(db: Db) {
  return new DataLoader<number, ModelLinks>(async (modelIds) => {
    const rows = await db.modelLinks.findMany({ where: { modelId: { in: [...modelIds] } } });
    const byModel = new Map(rows.map((row) => [row.modelId, toLinks(row)]));
    return modelIds.map((id) => byModel.get(id) ?? NO_LINKS);
  });
}

/** The columns of `ModelLinks` that hold links. */
type StoredLinks = Omit<ModelLinks, 'sourcePrefixes'> & { sourcePrefix: string | null };

export function toLinks({
  sourceUrl,
  sourcePrefix,
  compareUrl,
  ticketUrl,
  deviceUrl,
}: StoredLinks): ModelLinks {
  const sourcePrefixes = sourcePrefix === null ? [] : sourcePrefix.split('\n');
  return { sourceUrl, sourcePrefixes, compareUrl, ticketUrl, deviceUrl };
}

/** A prefix has no line break: `requireLinks`. */
function stored(prefixes: readonly string[]): string | null {
  return prefixes.length === 0 ? null : prefixes.map((prefix) => prefix.trim()).join('\n');
}
