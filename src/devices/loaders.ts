import { childrenOf, countChildrenOf, MAX_PARENTS } from '../platform/database/children.js';
import DataLoader from '../platform/database/data-loader.js';
import { rowsById } from '../platform/database/rows-by-id.js';
import type { Db } from '../platform/database/types.js';
import { createLinksLoader } from './link-settings.js';
import { createOwnCodeLoader } from './own-code.js';
import { createPrivacyLoader } from './privacy.js';
import { type DeviceWindow, listDevicesOfModels } from './read.js';
import { createTimelineLoader } from './timeline.js';
import type { DeviceModelRow, DeviceRow, IngestKeyRow } from './types.js';

const DEVICES_OF_MODEL = { table: 'Device', parent: 'modelId' } as const;
const INGEST_KEYS_OF_MODEL = { table: 'IngestKey', parent: 'modelId' } as const;

/** For one request: one statement per loader, however many fields use it. */
export function createDeviceLoaders(db: Db) {
  return {
    byId: rowsById<DeviceRow>((ids) => db.device.findMany({ where: { id: { in: [...ids] } } })),
    modelById: rowsById<DeviceModelRow>((ids) =>
      db.deviceModel.findMany({ where: { id: { in: [...ids] } } }),
    ),
    linksOfModel: createLinksLoader(db),
    ownCodeOfModel: createOwnCodeLoader(db),
    privacyOfModel: createPrivacyLoader(db),
    /** One statement for all models with the same window. */
    ofModel: new DataLoader<{ modelId: number; window: DeviceWindow }, DeviceRow[], string>(
      async (questions) => {
        const answers = new Map<string, Map<number, DeviceRow[]>>();
        for (const { window } of questions) {
          const key = JSON.stringify(window);
          if (answers.has(key)) continue;
          const same = questions.filter((other) => JSON.stringify(other.window) === key);
          const modelIds = same.map(({ modelId }) => modelId);
          answers.set(key, await listDevicesOfModels(db, modelIds, window));
        }
        return questions.map(
          ({ modelId, window }) => answers.get(JSON.stringify(window))?.get(modelId) ?? [],
        );
      },
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),
    countOfModel: countChildrenOf(db, DEVICES_OF_MODEL),
    /** Of devices whose crashes count. */
    countApprovedOfModel: new DataLoader<number, number>(
      async (modelIds) => {
        const counts = await db.device.groupBy({
          by: 'modelId',
          where: { modelId: { in: [...modelIds] }, approval: 'APPROVED' },
          _count: true,
        });
        const byModel = new Map(counts.map(({ modelId, _count }) => [modelId, _count]));
        return modelIds.map((id) => byModel.get(id) ?? 0);
      },
      { maxBatchSize: MAX_PARENTS },
    ),
    /** Devices that report boots, and were not heard of since then. */
    countSilentOfModel: new DataLoader<{ modelId: number; since: Date }, number, string>(
      async (questions) =>
        Promise.all(
          [...new Set(questions.map(({ since }) => since.getTime()))].map(async (since) => {
            const modelId = { in: questions.map((question) => question.modelId) };
            const where = { modelId, approval: 'APPROVED', lastBootAt: { not: null } };
            const counts = await db.device.groupBy({
              by: 'modelId',
              where: { ...where, lastSeenAt: { lt: new Date(since) } },
              _count: true,
            });
            return [since, new Map(counts.map(({ modelId, _count }) => [modelId, _count]))] as const;
          }),
        ).then((all) => {
          const bySince = new Map(all);
          return questions.map(({ modelId, since }) => bySince.get(since.getTime())?.get(modelId) ?? 0);
        }),
      { cacheKeyFn: ({ modelId, since }) => `${since.getTime()} ${modelId}`, maxBatchSize: MAX_PARENTS },
    ),
    timeline: createTimelineLoader(db),
    ingestKeyById: rowsById<IngestKeyRow>((ids) =>
      db.ingestKey.findMany({ where: { id: { in: [...ids] } } }),
    ),
    ingestKeysOfModel: childrenOf<IngestKeyRow>(db, INGEST_KEYS_OF_MODEL),
    countIngestKeysOfModel: countChildrenOf(db, INGEST_KEYS_OF_MODEL),
    countOfIngestKey: countChildrenOf(db, { table: 'Device', parent: 'ingestKeyId' }),
  };
}
