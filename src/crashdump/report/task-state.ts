import type { FirmwareImage } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import { type ReadMemory, readWord } from '../read-memory.js';
import type { StackFrame, TaskState } from '../report.js';
import type { TaskControlBlock } from './task-control-block.js';

/** The lists of tasks.c by name; the list of a task's state item determines its state. */
const LISTS: readonly { symbol: RegExp; state: TaskState }[] = [
  { symbol: /^pxReadyTasksLists$/, state: 'ready' },
  { symbol: /^xPendingReadyList$/, state: 'ready' },
  { symbol: /^xDelayedTaskList[12]$/, state: 'delayed' },
  { symbol: /^xSuspendedTaskList$/, state: 'suspended' },
  { symbol: /^xTasksWaitingTermination$/, state: 'deleted' },
];

/**
 * The result of FreeRTOS' eTaskGetState(). A task that waits without a time limit is in the list of suspended tasks; it
 * differs from a suspended one because it is also in an event list, or waits for a notification. Null without a
 * firmware ELF, whose symbols name the lists.
 */
export function taskState(
  tcbAddress: number,
  tcb: TaskControlBlock,
  read: ReadMemory,
  firmware: FirmwareImage | null,
): TaskState | null {
  if (!firmware) return null;
  if (runningOn(tcbAddress, read, firmware) !== null) return 'running';
  if (!tcb.stateList) return null;
  const symbol = firmware.symbolAt(tcb.stateList)?.name;
  const list = symbol === undefined ? undefined : LISTS.find((candidate) => candidate.symbol.test(symbol));
  if (!list) return null;
  const mayWait = list.state === 'delayed' || list.state === 'suspended';
  return mayWait && (tcb.eventList || tcb.isWaitingForNotification) ? 'blocked' : list.state;
}

/** The core on which the task ran; null unless the dump holds the kernel's data about that. */
export function runningOn(tcbAddress: number, read: ReadMemory, firmware: FirmwareImage): number | null {
  const current = firmware.symbol('pxCurrentTCBs') ?? firmware.symbol('pxCurrentTCB');
  if (!current) return null;
  for (let core = 0; core * 4 < Math.min(Math.max(current.size, 4), 8); core++) {
    if (readWord(read, current.address + core * 4) === tcbAddress) return core;
  }
  return null;
}

/** The object that a blocking FreeRTOS call waits for. */
const WAITS: readonly { call: RegExp; awaited: string }[] = [
  { call: /^(xQueueSemaphoreTake|xQueueTakeMutexRecursive)$/, awaited: 'semaphore or mutex' },
  { call: /^(xQueueReceive|xQueueGenericReceive|xQueuePeek)$/, awaited: 'an item in queue' },
  { call: /^xQueueGenericSend$/, awaited: 'room in queue' },
  { call: /^(xEventGroupWaitBits|xEventGroupSync)$/, awaited: 'bits of event group' },
  { call: /^xStreamBufferReceive$/, awaited: 'data in stream buffer' },
  { call: /^xStreamBufferSend$/, awaited: 'room in stream buffer' },
];
const NOTIFICATION_CALL =
  /^(ulTaskGenericNotifyTake|xTaskGenericNotifyWait|ulTaskNotifyTake|xTaskNotifyWait)$/;

/** "an item in queue 0x3ffaff74", "a notification"; null when it is not known. */
export function waitingFor(
  state: TaskState | null,
  tcb: TaskControlBlock,
  frames: readonly StackFrame[],
): string | null {
  if (state !== 'blocked' && state !== 'delayed') return null;
  for (const frame of frames) {
    const name = frame.function ?? '';
    if (NOTIFICATION_CALL.test(name)) return 'a notification';
    const wait = WAITS.find(({ call }) => call.test(name));
    if (wait) return `${wait.awaited} ${awaitedObject(frame) ?? ''}`.trimEnd();
  }
  if (tcb.isWaitingForNotification) return 'a notification';
  if (tcb.eventList) return `an event (list ${hex32(tcb.eventList)})`;
  return state === 'delayed' && tcb.stateItemValue !== null ? `tick ${tcb.stateItemValue}` : null;
}

/** The handle is the first argument of all these calls. */
function awaitedObject(frame: StackFrame): string | null {
  return /0x[0-9a-f]+( <[^>]+>)?/.exec(frame.arguments[0]?.value ?? '')?.[0] ?? null;
}
