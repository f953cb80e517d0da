import type { DumpTask } from '../core/core.js';
import { printable } from '../printable.js';
import { type ReadMemory, readWord } from '../read-memory.js';
import { fits, readNameAlone, readTaskName, type TaskLayout } from './task-layout.js';

/** FreeRTOS's data about a task (`tskTaskControlBlock`). Values that dump and layout do not give are null. */
export interface TaskControlBlock {
  name: string | null;
  /** The current priority, perhaps inherited from a mutex. */
  priority: number | null;
  basePriority: number | null;
  /** Lowest address of the stack (pxStack). */
  stackStart: number | null;
  /** The stack pointer when the task last yielded the processor (pxTopOfStack). */
  topOfStack: number | null;
  /** Highest address of the stack (pxEndOfStack). */
  stackEnd: number | null;
  /** Address of the list that contains xStateListItem or xEventListItem; 0 when in none. */
  stateList: number | null;
  eventList: number | null;
  /** The tick at which a delay ends, for a delayed task. */
  stateItemValue: number | null;
  isWaitingForNotification: boolean;
  /** The core that the task is pinned to (xCoreID); null when it may run on any. */
  coreAffinity: number | null;
}

const NOTHING_KNOWN: TaskControlBlock = {
  name: null,
  priority: null,
  basePriority: null,
  stackStart: null,
  topOfStack: null,
  stackEnd: null,
  stateList: null,
  eventList: null,
  stateItemValue: null,
  isWaitingForNotification: false,
  coreAffinity: null,
};

/** pxTopOfStack is the first member in every release. */
const TOP_OF_STACK = 0;
/** Member of ListItem_t { xItemValue, pxNext, pxPrevious, pvOwner, pxContainer }. */
const CONTAINER = 16;
const WAITING_FOR_NOTIFICATION = 1;
/** No chip has more. */
const MAX_CORES = 2;

export function readTaskControlBlock(
  task: DumpTask,
  read: ReadMemory,
  layout: TaskLayout | null,
): TaskControlBlock {
  const { tcbAddress: address } = task;
  if (layout === null || (layout.isGuess && !fits(task, layout, read)))
    return { ...NOTHING_KNOWN, name: readNameAlone(address, layout, read) };
  const word = (offset: number | null) => (offset === null ? null : readWord(read, address + offset));
  const { notifyState } = layout;

  return {
    name: readTaskName(address, layout, read) ?? readBytes(address + layout.name, layout.nameSize, read),
    priority: word(layout.priority),
    basePriority: word(layout.basePriority),
    stackStart: word(layout.stack),
    topOfStack: word(TOP_OF_STACK),
    stackEnd: word(layout.endOfStack),
    stateList: word(layout.stateItem + CONTAINER),
    eventList: word(layout.eventItem + CONTAINER),
    stateItemValue: word(layout.stateItem),
    isWaitingForNotification:
      notifyState !== null && read(address + notifyState, 1)?.[0] === WAITING_FOR_NOTIFICATION,
    coreAffinity: coreNumber(word(layout.coreAffinity)),
  };
}

/** tskNO_AFFINITY is a large number. */
function coreNumber(value: number | null): number | null {
  return value !== null && value < MAX_CORES ? value : null;
}

/** configMAX_TASK_NAME_LEN of ESP-IDF */
const USUAL_NAME_SIZE = 16;

/** A name that was overwritten. */
function readBytes(address: number, size: number | null, read: ReadMemory): string | null {
  const bytes = read(address, Math.min(size ?? USUAL_NAME_SIZE, 256));
  if (!bytes) return null;
  const end = bytes.indexOf(0);
  return printable(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)));
}
