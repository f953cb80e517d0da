import type { Config } from '../config/settings.js';
import { adopt } from '../installation/adopt.js';
import { backup } from './backup.js';
import type { CopyOutcome } from './copy-blobs.js';
import { exportAll } from './export.js';
import { importAll } from './import.js';
import { openExclusive } from './open-exclusive.js';

/** Output of a command: `say` for results, `complain` for problems. */
export interface Terminal {
  say(line: string): void;
  complain(line: string): void;
}

/** @returns the exit code: 1 when missing or damaged bytes were left out */
export async function backupCommand(config: Config, folder: string, terminal: Terminal): Promise<number> {
  const result = await backup(config, folder);
  for (const path of result.leftovers.removed)
    terminal.say(`removed ${path}, which an interrupted backup had left`);
  for (const path of result.leftovers.unknown) {
    terminal.complain(
      `${path} may be left over from an interrupted backup: remove it if no backup is running`,
    );
  }
  terminal.say(`backed up ${blobs(result)}, to ${result.folder}`);
  if (result.removed > 0) terminal.say(`${result.removed} dumps were removed while it ran and are not in it`);
  return reportDamaged(result.damaged, 'they are not in the backup', terminal);
}

export async function exportCommand(config: Config, folder: string, terminal: Terminal): Promise<number> {
  const result = await exportAll(config, folder);
  terminal.say(`exported ${rows(result.tables)}`);
  terminal.say(`and ${blobs(result)}, to ${result.folder}`);
  return reportDamaged(result.damaged, 'import will leave them out', terminal);
}

export async function importCommand(config: Config, folder: string, terminal: Terminal): Promise<number> {
  const { manifest, ...result } = await importAll(config, folder);
  terminal.say(`imported ${rows(manifest.tables)}`);
  terminal.say(`and ${blobs(result)}`);
  return reportDamaged(manifest.damaged, 'they were left out', terminal);
}

/** Makes the database and the storage of the settings one installation. */
export async function adoptCommand(config: Config, terminal: Terminal): Promise<number> {
  const { pair, assertAlone, close } = await openExclusive(config);
  try {
    await assertAlone();
    const { installation, rowless, aside } = await adopt(pair, new Date());
    const places = pair.stores.map(({ place }) => place).join(' and ');
    terminal.say(`${places} and the database belong together now, as the installation ${installation}`);
    terminal.say(
      `${rowless.Coredump} core dump files and ${rowless.Firmware} firmware files have no row: the next start sets them ` +
        'aside in .orphans/, where they are kept for 7 days',
    );
    if (aside.Coredump + aside.Firmware > 0) {
      terminal.say(
        `${aside.Coredump} core dump files and ${aside.Firmware} firmware files without a row were set aside before: the ` +
          'next start removes those that have been there for 7 days',
      );
    }
    return 0;
  } finally {
    await close();
  }
}

function rows(tables: ReadonlyArray<{ name: string; rows: number }>): string {
  return tables.map((table) => `${table.rows} of ${table.name}`).join(', ');
}

function blobs({ copied }: Pick<CopyOutcome, 'copied'>): string {
  const { Coredump: dumps, Firmware: builds } = copied;
  return (
    `${dumps.count} core dumps (${dumps.bytes} bytes) and ${builds.count} firmware ELFs (${builds.bytes} bytes), ` +
    'each compared with its SHA-256'
  );
}

/** Most damaged rows to list; a broken disk may have thousands. */
const NAMED = 20;

function reportDamaged(
  damaged: ReadonlyArray<{ key: string }>,
  consequence: string,
  { complain }: Terminal,
): number {
  if (damaged.length === 0) return 0;
  const names = damaged.slice(0, NAMED).map(({ key }) => key);
  const more = damaged.length > NAMED ? [`and ${damaged.length - NAMED} more`] : [];
  const list = [...names, ...more].join(', ');
  complain(`${damaged.length} rows have missing or damaged bytes in the storage; ${consequence}: ${list}`);
  return 1;
}
