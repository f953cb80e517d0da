import { BUT_NO_CRASHES } from '../coredumps/no-crash.js';
import type { CountCrash } from '../coredumps/parse-state.js';
import { reportIn } from '../coredumps/report-schema.js';
import { COREDUMP_ROW, toCoredumpRow } from '../coredumps/row.js';
import { lockDumps } from '../coredumps/unread.js';
import type { DbTransaction } from '../platform/database/types.js';

/**
 * Counts the kept dumps of a device that was approved in this transaction: they were parsed while it waited, and not
 * counted. The dumps are locked, as a parse locks them before it asks for the approval: each is counted here or by its
 * parse.
 *
 * @returns what to call after the commit
 */
export async function countKept(
  tx: DbTransaction,
  device: { id: number; modelId: number },
  count: CountCrash,
): Promise<() => void> {
  await lockDumps(tx, { deviceId: device.id });
  const ended = await tx.coredump.findMany({
    where: {
      deviceId: device.id,
      occurrence: null,
      parseStatus: { in: ['PARSED', 'ERROR'] },
      ...BUT_NO_CRASHES,
    },
    select: { ...COREDUMP_ROW, text: { select: { report: true } } },
    orderBy: { id: 'asc' },
  });
  const announcements: Array<() => void> = [];
  for (const { text, ...row } of ended) {
    const report = reportIn(text);
    announcements.push(await count(tx, { coredump: toCoredumpRow(row), modelId: device.modelId, report }));
  }
  return () => {
    for (const announce of announcements) announce();
  };
}
