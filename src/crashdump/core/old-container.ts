import { ByteReader } from '../bytes.js';
import { FLASH_MAGIC } from './dump-header.js';
import type { RawContainer } from './payload.js';

/** Length, number of tasks, size of a control block (IDF 2.0 to 3.1, core_dump.c). */
const HEADER_SIZE = 12;
const MOST_TASKS = 256;

/**
 * The dump of IDF before 3.2, whose header has no version: on the UART as it is, in flash between two magic words that
 * its length includes. Its tasks must be possible ones, because nothing else distinguishes it. Null for other bytes.
 */
export function readOldDump(bytes: Uint8Array): RawContainer | null {
  const reader = new ByteReader('core dump header', bytes);
  const isFramed = reader.length >= 4 && reader.slice('magic', 0, 4).u32() === FLASH_MAGIC;
  const start = isFramed ? 4 : 0;
  if (reader.length < start + HEADER_SIZE) return null;
  const header = reader.slice('core dump header', start, HEADER_SIZE);
  const [length, taskCount, tcbSize] = [header.u32(), header.u32(), header.u32()];
  const end = length - (isFramed ? 8 : 0);
  const isPossible = taskCount >= 1 && taskCount <= MOST_TASKS && tcbSize >= 64 && tcbSize <= 4096;
  if (!isPossible || end < HEADER_SIZE + taskCount * (12 + tcbSize)) return null;
  const available = Math.min(end, reader.length - start) - HEADER_SIZE;
  const payload = reader.slice('BIN core dump', start + HEADER_SIZE, available);
  if (!holdsTask(payload)) return null;
  const isCut = available < end - HEADER_SIZE;
  return {
    format: 'BIN v0',
    versionWord: null,
    // The esp32 was the only chip of that time.
    chipId: 0,
    chipRevision: null,
    checksum: 'absent',
    payload: { kind: 'bin', reader: payload, taskCount, tcbSize, segmentCount: null },
    warnings: isCut
      ? [
          {
            code: 'DUMP_CUT',
            message: `The dump is cut: its header announces ${length} bytes, ${reader.length - start} are here.`,
          },
        ]
      : [],
  };
}

/** As the device checked them: control block and stack in the esp32's data memory. */
function holdsTask(payload: ByteReader): boolean {
  if (payload.length < 12) return false;
  const task = payload.slice('task', 0, 12);
  const [tcb, top, end] = [task.u32(), task.u32(), task.u32()];
  return [tcb, top, end].every((address) => address >= 0x3ffae000 && address < 0x40000000) && tcb % 4 === 0;
}
