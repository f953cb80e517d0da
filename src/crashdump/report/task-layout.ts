import type { Dump, DumpTask } from '../core/core.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import { type ReadMemory, readWord } from '../read-memory.js';

/** Where the members of FreeRTOS's task control block lie; those that are not known are null. */
export interface TaskLayout {
  stateItem: number;
  eventItem: number;
  priority: number;
  stack: number;
  name: number;
  /** configMAX_TASK_NAME_LEN; null where only the end of the text is known. */
  nameSize: number | null;
  coreAffinity: number | null;
  endOfStack: number | null;
  basePriority: number | null;
  notifyState: number | null;
  /** Whether single tasks may differ from it: it was found by the dump, not by the build that ran. */
  isGuess: boolean;
}

const STRUCT = 'tskTaskControlBlock';
/** A kernel function that every firmware contains. */
const USED_BY = 'vTaskSwitchContext';

/**
 * Offsets of the first members. They are the same in all releases of ESP-IDF, except for one word: with MPU wrappers
 * (esp32 before IDF 4.0) `xMPUSettings` follows pxTopOfStack.
 */
const USUAL: TaskLayout = {
  stateItem: 4,
  eventItem: 24,
  priority: 44,
  stack: 48,
  name: 52,
  nameSize: null,
  coreAffinity: null,
  endOfStack: null,
  basePriority: null,
  notifyState: null,
  isGuess: true,
};
const MPU_SETTINGS_SIZE = 4;
/** xCoreID behind a name of 16 bytes, the default of ESP-IDF. */
const USUAL_CORE = 68;
const NO_AFFINITY = 0x7fffffff;

/** Members of ListItem_t { xItemValue, pxNext, pxPrevious, pvOwner, pxContainer }. */
const OWNER = 12;
/** More than any stack has. */
const LARGEST_STACK = 16 * 1024 * 1024;
const LONGEST_NAME = 256;
/** configMAX_PRIORITIES is 25 by default. */
const MAX_PRIORITY = 1024;
const STACK_ALIGNMENT = 16;

/**
 * The layout of the dump's tasks. That of the build that ran is believed; any other, and the usual one, only if the tasks
 * look like it: their list items name them as owner, their stacks begin below the stack pointer, their names are text.
 *
 * @param isBuildKnown whether the firmware is the one that ran
 * @returns null when no layout fits
 */
export function taskLayout(
  dump: Dump,
  firmware: FirmwareImage | null,
  isBuildKnown: boolean,
): TaskLayout | null {
  const { read } = dump.memory;
  const shifted = firmware === null ? null : layoutOf(firmware, shiftOf(dump.tasks, read));
  if (shifted !== null && isBuildKnown) return { ...shifted, isGuess: false };
  const candidates = [...(shifted === null ? [] : [shifted]), USUAL, shiftedBy(MPU_SETTINGS_SIZE)];
  const present = dump.tasks.filter(({ tcbAddress }) => readWord(read, tcbAddress) !== null);
  const scores = candidates.map((layout) => present.filter((task) => fits(task, layout, read)).length);
  const best = Math.max(...scores);
  const layout = candidates[scores.indexOf(best)];
  if (layout === undefined || best === 0 || best * 2 < present.length) return null;
  return verified(layout, present, read);
}

/** Whether a control block looks like one; a broken one fails in some points. */
export function fits(
  { tcbAddress, stack, stackIsCorrupted }: DumpTask,
  layout: TaskLayout,
  read: ReadMemory,
) {
  const word = (offset: number) => readWord(read, tcbAddress + offset);
  const owners = [layout.stateItem, layout.eventItem].map((item) => word(item + OWNER) === tcbAddress);
  const start = word(layout.stack);
  const top = word(0);
  const lowest = stack === null || stackIsCorrupted ? top : Math.min(top ?? 0, stack.start);
  const hasStack =
    start !== null && start !== 0 && lowest !== null && start <= lowest && lowest - start < LARGEST_STACK;
  const signs = [...owners, hasStack, readTaskName(tcbAddress, layout, read) !== null];
  return signs.filter(Boolean).length >= 3;
}

/** Null unless it is text. */
export function readTaskName(
  tcbAddress: number,
  { name, nameSize }: TaskLayout,
  read: ReadMemory,
): string | null {
  const whole = nameSize === null ? null : read(tcbAddress + name, Math.min(nameSize, LONGEST_NAME));
  if (whole !== null) {
    const end = whole.indexOf(0);
    return textOf(end < 0 ? whole : whole.subarray(0, end));
  }
  const bytes: number[] = [];
  for (let index = 0; index < Math.min(nameSize ?? LONGEST_NAME, LONGEST_NAME); index++) {
    const byte = read(tcbAddress + name + index, 1)?.[0];
    if (byte === undefined) return null;
    if (byte === 0) return textOf(Uint8Array.from(bytes));
    bytes.push(byte);
  }
  return nameSize === null ? null : textOf(Uint8Array.from(bytes));
}

/** configMAX_TASK_NAME_LEN of ESP-IDF by default. */
const USUAL_NAME_SIZE = 16;

/** The name of a task whose other members are broken or empty: plain text where names usually are, or nothing. */
export function readNameAlone(
  tcbAddress: number,
  layout: TaskLayout | null,
  read: ReadMemory,
): string | null {
  const name = readTaskName(tcbAddress, { ...(layout ?? USUAL), nameSize: null }, read);
  const isPlain = name !== null && name.length < USUAL_NAME_SIZE && /^[\x20-\x7e]+$/.test(name);
  return isPlain ? name : null;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Uint8Array): string | null {
  if (bytes.length === 0 || bytes.some((byte) => byte < 0x20 || byte === 0x7f)) return null;
  if (bytes.every((byte) => byte < 0x7f)) return String.fromCharCode(...bytes);
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

const layouts = new WeakMap<FirmwareImage, Map<number, TaskLayout | null>>();

/** Null without debug information. */
function layoutOf(firmware: FirmwareImage, shift: number): TaskLayout | null {
  const known = layouts.get(firmware) ?? new Map<number, TaskLayout | null>();
  layouts.set(firmware, known);
  let layout = known.get(shift);
  if (layout === undefined) {
    layout = findLayout(firmware, shift);
    known.set(shift, layout);
  }
  return layout;
}

/** A member that the debug information lacks is where it usually is. */
function findLayout(firmware: FirmwareImage, shift: number): TaskLayout | null {
  const member = (name: string) => firmware.structMember(STRUCT, name, USED_BY);
  const offset = (name: string) => member(name)?.offset ?? null;
  const usual = shiftedBy(shift);
  const name = member('pcTaskName');
  const found = {
    stateItem: offset('xStateListItem'),
    eventItem: offset('xEventListItem'),
    priority: offset('uxPriority'),
    stack: offset('pxStack'),
    name: name?.offset ?? null,
    nameSize: name?.size ?? null,
    coreAffinity: offset('xCoreID'),
    endOfStack: offset('pxEndOfStack'),
    basePriority: offset('uxBasePriority'),
    notifyState: offset('ucNotifyState'),
  };
  if (Object.values(found).every((place) => place === null)) return null;
  return {
    ...found,
    stateItem: found.stateItem ?? usual.stateItem,
    eventItem: found.eventItem ?? usual.eventItem,
    priority: found.priority ?? usual.priority,
    stack: found.stack ?? usual.stack,
    name: found.name ?? usual.name,
    isGuess: true,
  };
}

function shiftedBy(bytes: number): TaskLayout {
  return {
    ...USUAL,
    stateItem: USUAL.stateItem + bytes,
    eventItem: USUAL.eventItem + bytes,
    priority: USUAL.priority + bytes,
    stack: USUAL.stack + bytes,
    name: USUAL.name + bytes,
  };
}

/** A task's list items have the task as their owner; the place of the owner shows the layout of the block. */
function shiftOf(tasks: readonly DumpTask[], read: ReadMemory): number {
  const [task] = tasks;
  if (task === undefined) return 0;
  const owner = task.tcbAddress + USUAL.stateItem + OWNER;
  const isShifted =
    readWord(read, owner) !== task.tcbAddress &&
    readWord(read, owner + MPU_SETTINGS_SIZE) === task.tcbAddress;
  return isShifted ? MPU_SETTINGS_SIZE : 0;
}

/** Without the later members that do not hold what they should in every task. */
function verified(layout: TaskLayout, tasks: readonly DumpTask[], read: ReadMemory): TaskLayout {
  const fitting = tasks.filter((task) => fits(task, layout, read));
  const every = (offset: number | null, isPossible: (value: number, task: DumpTask) => boolean) =>
    offset !== null &&
    fitting.every((task) => {
      const value = readWord(read, task.tcbAddress + offset);
      return value !== null && isPossible(value, task);
    });
  const isStackEnd = (value: number, { stack, tcbAddress }: DumpTask) => {
    if (stack !== null) return Math.abs(value - stack.end) <= STACK_ALIGNMENT;
    // A dump of all memory does not say where a stack ends: above what the task has saved there.
    const top = readWord(read, tcbAddress);
    return top !== null && value > top && value - top < LARGEST_STACK && read(value - 4, 4) !== null;
  };
  const endOfStack = every(layout.endOfStack, isStackEnd);
  const isCore = (value: number) => value <= 1 || value === NO_AFFINITY;
  // Zeros could be anything: a task without affinity shows that this is the member.
  const usualCore = USUAL_CORE + layout.stateItem - USUAL.stateItem;
  const isUsualCore =
    every(usualCore, isCore) &&
    fitting.some((task) => readWord(read, task.tcbAddress + usualCore) === NO_AFFINITY);
  return {
    ...layout,
    endOfStack: endOfStack ? layout.endOfStack : null,
    basePriority:
      endOfStack && every(layout.basePriority, (value) => value < MAX_PRIORITY) ? layout.basePriority : null,
    notifyState: endOfStack ? layout.notifyState : null,
    coreAffinity:
      endOfStack && every(layout.coreAffinity, isCore) ? layout.coreAffinity : isUsualCore ? usualCore : null,
  };
}
