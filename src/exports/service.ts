import type { CoredumpFilter } from '../coredumps/types.js';
import type { CrashGroupFilter } from '../crash-groups/types.js';
import type { DeviceFilter } from '../devices/types.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import { COREDUMP_COLUMNS, exportCoredumps } from './coredumps.js';
import { CRASH_GROUP_COLUMNS, exportCrashGroups } from './crash-groups.js';
import { DEVICE_COLUMNS, exportDevices } from './devices.js';
import type { ExportRow } from './types.js';

/** A list to be written to a file: its columns, and its rows some at a time. */
export interface Export {
  columns: readonly string[];
  rows: AsyncIterable<ExportRow[]>;
}

export type Exports = ReturnType<typeof createExports>;

/** Whole lists, as viewers may read them, in constant memory. Nothing is read before the first rows are asked for. */
export function createExports({ db, clock }: { db: Db; clock: Pick<Clock, 'now'> }) {
  return {
    coredumps: (filter: CoredumpFilter): Export => ({
      columns: COREDUMP_COLUMNS,
      rows: exportCoredumps(db, filter),
    }),
    crashGroups: (filter: CrashGroupFilter): Export => ({
      columns: CRASH_GROUP_COLUMNS,
      rows: exportCrashGroups(db, filter, clock.now),
    }),
    devices: (filter: DeviceFilter): Export => ({ columns: DEVICE_COLUMNS, rows: exportDevices(db, filter) }),
  };
}
