import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BACKGROUND_WORK, SCHEDULED_WORK } from '../../src/compose/background-work.js';

const SOURCES = join(import.meta.dirname, '../../src');
/** What begins something that comes back by itself: a timer, a thread, a child process, a worker, a schedule. */
const BEGINS_WORK =
  /\bsetInterval\(|\bnew (Worker|Piscina)\b|\b(fork|spawn)\(|\bcreateWorker\(|\bchores\.every\(/;
/** Not the server: the page runs in browsers, and the others are programs of their own. */
const OTHER_PROGRAMS = /^(dashboard|demo|tools|ci)\//;
/** Where the list is carried out, and where workers are made: whoever calls `createWorker` has to be listed. */
const STARTERS = ['compose/start-background.ts', 'platform/background/worker.ts'];

describe('the list of background work', () => {
  it('names every file of the server that begins work by itself', () => {
    const listed = new Set(BACKGROUND_WORK.flatMap(({ files }) => files));

    const unlisted = sourceFiles().filter(
      (file) => BEGINS_WORK.test(readFileSync(join(SOURCES, file), 'utf8')) && !listed.has(file),
    );

    expect(unlisted.filter((file) => !STARTERS.includes(file))).toEqual([]);
  });

  it('names files that are there', () => {
    const files = BACKGROUND_WORK.flatMap((work) => work.files);

    expect(files.filter((file) => !existsSync(join(SOURCES, file)))).toEqual([]);
  });

  it('has each name once', () => {
    const names = BACKGROUND_WORK.map(({ name }) => name);

    expect(names).toEqual([...new Set(names)]);
  });

  it('says of scheduled work how often it runs, as it does', () => {
    const often = SCHEDULED_WORK.map(({ everyMs, when }) => [when.split(',')[0], everyMs]);

    for (const [when, everyMs] of often) expect(when).toBe(inWords(Number(everyMs)));
  });
});

function inWords(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes === 1) return 'every minute';
  if (minutes < 60) return `every ${minutes} minutes`;
  return minutes === 60 ? 'every hour' : 'every day';
}

function sourceFiles(): string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.c?ts$/.test(file) && !file.includes('generated/') && !OTHER_PROGRAMS.test(file));
}
