import { expect } from 'vitest';
import { allTables, insertRows, type Row, readRows, type Table } from '../../src/platform/database/tables.js';
import type { Db } from '../../src/platform/database/types.js';

/** Two rows in every table, made up from the models: so also in those that nobody has thought of here. */
export async function fillEveryTable(db: Db): Promise<void> {
  await db.$transaction(async (tx) => {
    for (const table of allTables()) {
      await insertRows(
        tx,
        table,
        (async function* () {
          for (const serial of [1, 2]) yield madeUp(table, serial);
        })(),
      );
    }
  });
}

/** Keys, and so references, are the serial number, or begin with it. */
function madeUp(table: Table, serial: number): Row {
  return Object.fromEntries(table.columns.map(({ name, type }) => [name, value(name, type, serial)]));
}

function value(name: string, type: string, serial: number): unknown {
  switch (type) {
    case 'Int':
      return serial;
    case 'BigInt':
      return BigInt(serial);
    case 'Float':
    case 'Decimal':
      return serial + 0.5;
    case 'Boolean':
      return serial === 1;
    case 'DateTime':
      return new Date(Date.UTC(2026, 1, 11, 14, 30, serial, 123));
    case 'Bytes':
      return new Uint8Array([0, serial, 255]);
    case 'String':
      return /(^id|Id)$/.test(name) ? String(serial) : `${name} ${serial} ü "\n\\`;
    default:
      throw new Error(`what is a ${type}? The export must know it as well (src/backup/archive.ts)`);
  }
}

export async function everyRow(db: Db): Promise<Record<string, Row[]>> {
  const all: Record<string, Row[]> = {};
  for (const table of allTables()) {
    const rows: Row[] = [];
    for await (const row of readRows(db, table)) rows.push(row);
    all[table.name] = rows;
  }
  expect(Object.keys(all).length).toBeGreaterThan(4);
  return all;
}
