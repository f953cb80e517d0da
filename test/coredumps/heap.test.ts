import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { aDevice, eventually, upload } from '../support/app.js';
import { aDatabaseUrl } from '../support/database.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { aHeapReader, type HeapState, INSPECTED } from '../support/heap.js';
import { aFolder, aProgram, type Program } from '../support/program.js';

/** `npm run test:heap` looks after 1,000 and 5,000 parses. */
const [EARLY = 200, LATE = 1_000] = (process.env.HEAP_PARSES ?? '200,1000').split(',').map(Number);
const AT_ONCE = 8;
const MAX_GROWTH = 1.05;
/** Of a class that leaks there is one more object for each parse at least; a few are made now and then, by warming up. */
const MAX_OBJECTS_A_PARSE = 0.6;

describe('the heap of a server', () => {
  it(`is as large after ${LATE} parses as after ${EARLY}`, { timeout: 1_800_000 }, async () => {
    const dir = await aFolder();
    const program = await aProgram('start', {
      dir,
      environment: { DATABASE_URL: await aDatabaseUrl(dir) },
      nodeOptions: INSPECTED,
    });
    await aDevice(program as never);
    const build = fixture('thermostat-1.0.0');
    await uploadFirmware(program, { elf: await readFile(build.elfPath), version: build.version });
    const dump = await readFile(build.dump('null-pointer'));
    const readHeap = await aHeapReader(program);

    await parseMany(program, dump, 0, EARLY);
    let early = await readHeap();
    await parseMany(program, dump, EARLY, LATE);
    let late = await readHeap();
    // What a busy machine has made once, or has under way, is not made again by as many parses more; what leaks, is.
    if (classesThatGrew(early, late).length > 0) {
      early = late;
      await parseMany(program, dump, LATE, 2 * LATE - EARLY);
      await pause(10_000);
      late = await readHeap();
    }

    const growth = late.usedBytes / early.usedBytes;
    process.stdout.write(
      `heap: ${megabytes(early)} after ${EARLY} parses, ${megabytes(late)} after ${LATE} (${growth.toFixed(3)})\n`,
    );
    expect(classesThatGrew(early, late)).toEqual([]);
    expect(growth).toBeLessThan(MAX_GROWTH);
  });
});

/** The same bytes each time, as different crashes: two different keys say so. */
async function parseMany(program: Program, dump: Buffer, from: number, to: number): Promise<void> {
  let next = from;
  const send = async () => {
    while (next < to) {
      const key = `crash ${next++}`.replace(' ', '-');
      // A connection for each crash, as devices make them: a kept one may be over after the server was looked into.
      const headers = { 'Idempotency-Key': key, Connection: 'close' };
      const response = await upload(program, dump, { headers });
      expect(response.status).toBe(201);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
  await eventually(
    async () => {
      const { coredumps } = await program.graphql<{ coredumps: { totalCount: number } }>(
        '{ coredumps(filter: { parseStatus: [PENDING] }) { totalCount } }',
      );
      return coredumps.totalCount === 0;
    },
    'every dump is read',
    { everyMs: 100 },
  );
}

function classesThatGrew(early: HeapState, late: HeapState): string[] {
  const limit = (LATE - EARLY) * MAX_OBJECTS_A_PARSE;
  return [...late.objects].flatMap(([name, count]) => {
    const before = early.objects.get(name) ?? 0;
    return count - before > limit ? [`${name}: ${before} → ${count}`] : [];
  });
}

function megabytes({ usedBytes }: HeapState): string {
  return `${(usedBytes / 1e6).toFixed(1)} MB`;
}
