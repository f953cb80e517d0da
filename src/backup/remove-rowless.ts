import { withoutRow } from '../coredumps/orphan-sweep.js';
import { elfKey } from '../firmware/blob-keys.js';
import type { Db } from '../platform/database/types.js';
import type { Stores } from './copy-blobs.js';

const BATCH = 500;

/** Removes bytes from a copy whose rows existed only in an earlier state of the database. */
export async function removeRowless(db: Db, to: Stores): Promise<void> {
  let batch: string[] = [];
  const flush = async () => {
    for (const key of await withoutRow(db, batch)) await to.Coredump.delete(key);
    batch = [];
  };
  for await (const { key } of to.Coredump.list()) if (batch.push(key) === BATCH) await flush();
  await flush();

  const builds = await db.firmware.findMany({
    select: { elfSha256: true, model: { select: { code: true } } },
  });
  const elfs = new Set(builds.map(({ model, elfSha256 }) => elfKey(model.code, elfSha256)));
  for await (const { key } of to.Firmware.list()) if (!elfs.has(key)) await to.Firmware.delete(key);
}
