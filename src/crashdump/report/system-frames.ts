import type { CrashTask, StackFrame } from '../report.js';

/**
 * System functions on the stack of a crash that are not its place: ESP-IDF and newlib use them to stop the chip, and to
 * start, delay and switch tasks. Matched as whole names.
 */
const SYSTEM_FUNCTIONS = new Set([
  'panic_abort',
  'esp_system_abort',
  'abort',
  '__assert_func',
  '__assert',
  '_esp_error_check_failed',
  '__esp_error_check_failed',
  '__stack_chk_fail',
  '__ubsan_default_handler',
  'panicHandler',
  'panic_handler',
  'xPanicHandler',
  'frame_to_panic_info',
  'xt_unhandled_exception',
  '_xt_panic',
  '_panic_handler',
  'vApplicationStackOverflowHook',
  'esp_cpu_reset',
  'esp_restart_noos',
  'task_wdt_isr',
  'task_wdt_timeout_handling',
  'task_wdt_timeout_abort',
  'task_wdt_timeout_abort_xtensa',
  'std::terminate',
  '__cxxabiv1::__terminate',
  '__cxa_throw',
  'vPortTaskWrapper',
  'prvTaskExitError',
  'vTaskDelay',
  'xTaskDelayUntil',
  'vPortYield',
  'vPortYieldFromISR',
  'vTaskSwitchContext',
  'taskCHECK_FOR_STACK_OVERFLOW',
  '_frxt_dispatch',
  '_frxt_int_exit',
  'rtos_int_exit',
  '_interrupt_handler',
  '_trap_entry',
]);

/** True for a frame of the code that crashed: named, not in ROM, and no system frame. */
function isOwnFrame(frame: StackFrame): boolean {
  if (frame.function === null || frame.inRom) return false;
  return (
    !SYSTEM_FUNCTIONS.has(frame.function.replace(/\(.*$/, '')) &&
    !frame.function.startsWith('__ubsan_handle_')
  );
}

/**
 * The frames of the application's own code, innermost first. When an interrupt only detected the crash (a watchdog, a
 * task switch that finds an overflowed stack) those of the interrupted task.
 */
export function culpritFrames({
  frames,
  interruptedFrames,
}: Pick<CrashTask, 'frames' | 'interruptedFrames'>): StackFrame[] {
  const own = frames.filter(isOwnFrame);
  return own.length > 0 ? own : interruptedFrames.filter(isOwnFrame);
}
