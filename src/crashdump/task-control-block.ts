import type { FirmwareImage } from './firmware-image.js';
import { type ReadMemory, readWord } from './memory.js';
import { printable } from './printable.js';

/** What FreeRTOS knows of a task (`tskTaskControlBlock`). Null is what the dump or the layout does not give. */
export interface TaskControlBlock {
  name: string | null;
  /** As inherited from a mutex, if so. */
  priority: number | null;
  basePriority: number | null;
  /** Lowest address of the stack (pxStack). */
  stackStart: number | null;
  /** Where the stack pointer was when the task last gave up the processor (pxTopOfStack). */
  topOfStack: number | null;
  /** Highest address of the stack (pxEndOfStack). */
  stackEnd: number | null;
  /** Address of the list that xStateListItem, xEventListItem is in; 0 when in none. */
  stateList: number | null;
  eventList: number | null;
  /** The tick at which a delay ends, for a delayed task. */
  stateItemValue: number | null;
  isWaitingForNotification: boolean;
}

const STRUCT = 'tskTaskControlBlock';

/** The first members have kept their places through all releases of ESP-IDF; later ones need debug information. */
const PLACES = {
  pxTopOfStack: { offset: 0, size: 4 },
  uxPriority: { offset: 44, size: 4 },
  pxStack: { offset: 48, size: 4 },
  pcTaskName: { offset: 52, size: 16 },
} as const;

/** List_t * at the end of ListItem_t { xItemValue, pxNext, pxPrevious, pvOwner, pxContainer }. */
const STATE_LIST_ITEM = 4;
const EVENT_LIST_ITEM = 24;
const CONTAINER = 16;

const WAITING_FOR_NOTIFICATION = 1;

export function readTaskControlBlock(
  address: number,
  read: ReadMemory,
  firmware: FirmwareImage | null,
): TaskControlBlock {
  const place = (member: string) => firmware?.structMember(STRUCT, member) ?? null;
  const word = (found: { offset: number } | null) => (found ? readWord(read, address + found.offset) : null);
  const stateItem = (place('xStateListItem') ?? { offset: STATE_LIST_ITEM }).offset;
  const eventItem = (place('xEventListItem') ?? { offset: EVENT_LIST_ITEM }).offset;
  const notifyState = place('ucNotifyState');

  return {
    name: readName(address, place('pcTaskName') ?? PLACES.pcTaskName, read),
    priority: word(place('uxPriority') ?? PLACES.uxPriority),
    basePriority: word(place('uxBasePriority')),
    stackStart: word(place('pxStack') ?? PLACES.pxStack),
    topOfStack: word(place('pxTopOfStack') ?? PLACES.pxTopOfStack),
    stackEnd: word(place('pxEndOfStack')),
    stateList: readWord(read, address + stateItem + CONTAINER),
    eventList: readWord(read, address + eventItem + CONTAINER),
    stateItemValue: readWord(read, address + stateItem),
    isWaitingForNotification:
      notifyState !== null && read(address + notifyState.offset, 1)?.[0] === WAITING_FOR_NOTIFICATION,
  };
}

function readName(address: number, place: { offset: number; size: number }, read: ReadMemory): string | null {
  const bytes = read(address + place.offset, Math.min(place.size, 256));
  if (!bytes) return null;
  const end = bytes.indexOf(0);
  return printable(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)));
}
