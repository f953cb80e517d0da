import type { FirmwareImage } from '../firmware/firmware-image.js';
import { printable } from '../printable.js';
import { type ReadMemory, readWord } from '../read-memory.js';

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

const STRUCT = 'tskTaskControlBlock';
/** A kernel function that every firmware contains. */
const USED_BY = 'vTaskSwitchContext';

/**
 * Offsets of the first members, for firmware without debug information. They are the same in all releases of ESP-IDF,
 * except for one word: with MPU wrappers (esp32 before IDF 4.0) `xMPUSettings` follows pxTopOfStack.
 */
const TOP_OF_STACK = { offset: 0 };
const STATE_LIST_ITEM = { offset: 4 };
const EVENT_LIST_ITEM = { offset: 24 };
const PRIORITY = { offset: 44 };
const STACK = { offset: 48 };
const NAME = { offset: 52, size: 16 };
const MPU_SETTINGS_SIZE = 4;

/** Members of ListItem_t { xItemValue, pxNext, pxPrevious, pvOwner, pxContainer }. */
const OWNER = 12;
const CONTAINER = 16;

/** No chip has more. */
const MAX_CORES = 2;

const WAITING_FOR_NOTIFICATION = 1;

export function readTaskControlBlock(
  address: number,
  read: ReadMemory,
  firmware: FirmwareImage | null,
): TaskControlBlock {
  const shift = shiftOfMembers(address, read);
  const place = (member: string, usual: { offset: number }) =>
    firmware?.structMember(STRUCT, member, USED_BY) ?? { offset: usual.offset + shift };
  const word = (found: { offset: number } | null | undefined) =>
    found ? readWord(read, address + found.offset) : null;
  const stateItem = place('xStateListItem', STATE_LIST_ITEM).offset;
  const eventItem = place('xEventListItem', EVENT_LIST_ITEM).offset;
  const notifyState = firmware?.structMember(STRUCT, 'ucNotifyState', USED_BY) ?? null;
  const namePlace = { ...NAME, ...place('pcTaskName', NAME) };

  return {
    name: readName(address + namePlace.offset, namePlace.size, read),
    priority: word(place('uxPriority', PRIORITY)),
    basePriority: word(firmware?.structMember(STRUCT, 'uxBasePriority', USED_BY)),
    stackStart: word(place('pxStack', STACK)),
    topOfStack: readWord(read, address + TOP_OF_STACK.offset),
    stackEnd: word(firmware?.structMember(STRUCT, 'pxEndOfStack', USED_BY)),
    stateList: readWord(read, address + stateItem + CONTAINER),
    eventList: readWord(read, address + eventItem + CONTAINER),
    stateItemValue: readWord(read, address + stateItem),
    isWaitingForNotification:
      notifyState !== null && read(address + notifyState.offset, 1)?.[0] === WAITING_FOR_NOTIFICATION,
    coreAffinity: coreNumber(word(firmware?.structMember(STRUCT, 'xCoreID', USED_BY))),
  };
}

/** tskNO_AFFINITY is a large number. */
function coreNumber(value: number | null): number | null {
  return value !== null && value < MAX_CORES ? value : null;
}

/** A task's list items have the task as their owner; the place of the owner shows the layout of the block. */
function shiftOfMembers(address: number, read: ReadMemory): number {
  const owner = address + STATE_LIST_ITEM.offset + OWNER;
  const isShifted =
    readWord(read, owner) !== address && readWord(read, owner + MPU_SETTINGS_SIZE) === address;
  return isShifted ? MPU_SETTINGS_SIZE : 0;
}

function readName(address: number, size: number, read: ReadMemory): string | null {
  const bytes = read(address, Math.min(size, 256));
  if (!bytes) return null;
  const end = bytes.indexOf(0);
  return printable(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)));
}
