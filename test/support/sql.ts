import { DatabaseSync } from '@photostructure/sqlite';
import pg from 'pg';
import type { TestApp } from './app.js';

/** A statement on a connection of its own, beside the server: what an operator, or trouble, does to a database. */
export async function sql<Row extends object>(app: Pick<TestApp, 'config'>, text: string): Promise<Row[]> {
  const { databaseUrl } = app.config;
  if (databaseUrl.startsWith('file:')) {
    const database = new DatabaseSync(databaseUrl.slice('file:'.length), { timeout: 10_000 });
    try {
      return database.prepare(text).all() as Row[];
    } finally {
      database.close();
    }
  }
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}
