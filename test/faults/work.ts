import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/app.js';
import { recount } from '../support/recount.js';
import { rowOf } from './ledger.js';
import type { World } from './world.js';

/**
 * Events of a dump in all its life: its arrival and its end, the same again for each new thing that a fault brings (a
 * build that came, a person who asked), and what a listening connection tells once more after it broke.
 */
const MAX_EVENTS = 20;
/** Long enough for a loop without an end to be seen in it, which takes some milliseconds a turn. */
const WATCHED_MS = 500;

/** Work that was done far too often, or goes on although there is nothing to do. */
export async function endlessWork(
  world: World,
  dashboards: ReadonlyArray<{ events: ReadonlyMap<string, number> }>,
): Promise<string[]> {
  const told = dashboards.flatMap(({ events }, index) =>
    [...events]
      .filter(([, count]) => count > MAX_EVENTS)
      .map(([id, count]) => `subscriber ${index} was told ${count} times of dump ${rowOf(id)}`),
  );
  const before = await parsesOf(world);
  await pause(WATCHED_MS);
  const after = await parsesOf(world);
  return after === before
    ? told
    : [...told, `${after - before} parses ended although nothing was to be done`];
}

/** Counters that are not what is counted again; a moment may pass until what was retired last is counted. */
export async function miscounts({ databaseUrl }: World): Promise<string[]> {
  let differences: string[] = [];
  await eventually(
    async () => {
      differences = await recount(databaseUrl);
      return differences.length === 0;
    },
    'the recount',
    { limitMs: 60_000, everyMs: 500 },
  ).catch(() => {});
  return differences.map((difference) => `miscounted: ${difference}`);
}

async function parsesOf({ urls }: World): Promise<number> {
  const pages = await Promise.all(urls().map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return pages
    .flatMap((page) => [...page.matchAll(/^coredump_parse_total\{[^}]*\} (\d+)/gm)])
    .reduce((sum, [, count]) => sum + Number(count), 0);
}
