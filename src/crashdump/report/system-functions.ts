import { remember } from '../remember.js';
import { isRustRuntime } from './rust-runtime-frames.js';

/**
 * Functions of ESP-IDF, FreeRTOS, newlib and the C++ runtime that are on the stack of a crash without being its place:
 * what they were called with, or what they were made to wait for, is. Matched as whole names.
 */
const STOPPING = `
panic_abort esp_system_abort abort invoke_abort raise _raise_r _exit __assert_func __assert
_esp_error_check_failed __esp_error_check_failed _esp_error_check_failed_without_abort __stack_chk_fail
__ubsan_default_handler __cxa_pure_virtual __cxa_throw __cxa_rethrow __cxa_bad_cast __cxa_call_unexpected
__cxa_call_terminate __gxx_personality_v0 _Unwind_RaiseException _Unwind_Resume _Unwind_Resume_or_Rethrow
panicHandler panic_handler xPanicHandler esp_panic_handler panic_restart frame_to_panic_info xt_unhandled_exception
_xt_panic _panic_handler vApplicationStackOverflowHook esp_cpu_reset esp_restart_noos esp_restart_noos_dig
vPortCoprocUsedInISR`;

const STARTING = `
vPortTaskWrapper prvTaskExitError _prvTaskExitError task_wdt_isr task_wdt_timeout_handling task_wdt_timeout_abort
task_wdt_timeout_abort_xtensa esp_task_wdt_isr_user_handler`;

const SWITCHING = `
vTaskDelay vTaskDelayUntil xTaskDelayUntil vPortYield vPortYieldFromISR vPortYieldFromInt vPortYieldOtherCore
vPortEvaluateYieldFromISR vTaskSwitchContext taskCHECK_FOR_STACK_OVERFLOW vTaskSuspendAll xTaskResumeAll
xTaskIncrementTick xTaskIncrementTickOtherCores xTaskRemoveFromEventList vTaskPlaceOnEventList
vTaskPlaceOnUnorderedEventList vTaskPlaceOnEventListRestricted prvAddCurrentTaskToDelayedList xTaskPriorityInherit
xTaskPriorityDisinherit vTaskPriorityDisinheritAfterTimeout vListInsert vListInsertEnd uxListRemove
_frxt_dispatch _frxt_int_enter _frxt_int_exit _frxt_timer_int _xt_context_save _xt_lowint1 _xt_medint2 _xt_medint3
rtos_int_enter rtos_int_exit _interrupt_handler _trap_entry vPortSetStackWatchpoint SysTickIsrHandler
xPortSysTickHandler vPortPassTime esp_crosscore_isr esp_crosscore_int_send esp_crosscore_int_send_yield
prvIdleTask prvCheckTasksWaitingTermination esp_vApplicationIdleHook cpu_ll_waiti esp_cpu_wait_for_intr
esp_pm_impl_waiti esp_pm_impl_idle_hook xt_waiti`;

const WAITING = `
xQueueGenericSend xQueueGenericSendFromISR xQueueGiveFromISR xQueueReceive xQueueReceiveFromISR xQueueGenericReceive
xQueuePeek xQueuePeekFromISR xQueueSemaphoreTake xQueueTakeMutexRecursive xQueueGiveMutexRecursive xQueueGenericReset
xQueueGenericCreate xQueueGenericCreateStatic xQueueCreateMutex xQueueCreateMutexStatic
xQueueCreateCountingSemaphore vQueueDelete prvInitialiseNewQueue prvInitialiseMutex prvCopyDataToQueue
prvCopyDataFromQueue prvUnlockQueue prvNotifyQueueSetContainer xQueueAddToSet xQueueSelectFromSet uxQueueMessagesWaiting
uxQueueSpacesAvailable xEventGroupWaitBits xEventGroupSync xEventGroupSetBits xEventGroupClearBits
vEventGroupSetBitsCallback vEventGroupDelete xStreamBufferSend xStreamBufferReceive xStreamBufferSendFromISR
xStreamBufferReceiveFromISR xTaskGenericNotify xTaskNotify xTaskGenericNotifyFromISR xTaskNotifyFromISR
vTaskGenericNotifyGiveFromISR vTaskNotifyGiveFromISR ulTaskGenericNotifyTake ulTaskNotifyTake xTaskGenericNotifyWait
xTaskNotifyWait xTimerGenericCommand xTimerGenericCommandFromTask xTimerGenericCommandFromISR xRingbufferSend
xRingbufferReceive xRingbufferReceiveUpTo xRingbufferSendAcquire xRingbufferSendComplete vRingbufferReturnItem
prvReceiveGeneric prvSendAcquireGeneric vTaskDelete prvDeleteTCB xTaskCreatePinnedToCore xTaskCreateStaticPinnedToCore
prvInitialiseNewTask esp_ipc_call esp_ipc_call_blocking esp_ipc_call_and_wait esp_ipc_isr_call
esp_ipc_isr_call_blocking esp_ipc_isr_stall_other_cpu esp_ipc_isr_release_other_cpu esp_ipc_isr_waiting_for_finish_cmd
_lock_acquire _lock_acquire_recursive _lock_try_acquire _lock_try_acquire_recursive _lock_release
_lock_release_recursive _lock_init _lock_close lock_acquire_generic lock_release_generic lock_init_generic
pthread_mutex_lock pthread_mutex_lock_internal pthread_mutex_timedlock pthread_mutex_trylock pthread_mutex_unlock
pthread_mutex_init pthread_mutex_destroy pthread_cond_wait pthread_cond_timedwait pthread_cond_signal
pthread_cond_broadcast pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_rwlock_unlock pthread_once
__gthread_mutex_lock __gthread_mutex_unlock __gthread_recursive_mutex_lock __gthread_recursive_mutex_unlock
vPortEnterCritical vPortExitCritical vPortEnterCriticalMultiCore vPortExitCriticalMultiCore vPortEnterCriticalIDF
vPortExitCriticalIDF vPortEnterCriticalCompliance vPortExitCriticalCompliance vPortEnterCriticalSafe
vPortExitCriticalSafe xPortEnterCriticalTimeout xPortEnterCriticalTimeoutSafe xPortEnterCriticalTimeoutCompliance
vPortCPUAcquireMutex vPortCPUAcquireMutexTimeout vPortCPUReleaseMutex vPortCPUAcquireMutexIntsDisabled
vPortCPUAcquireMutexIntsDisabledInternal vPortCPUReleaseMutexIntsDisabled vPortCPUReleaseMutexIntsDisabledInternal
vTaskEnterCritical vTaskExitCritical vTaskTakeKernelLock prvTakeKernelLock uxPortCompareSet esp_cpu_compare_and_set
compare_and_set_native spinlock_acquire spinlock_release xt_utils_compare_and_set`;

const ALLOCATING = `
malloc calloc realloc reallocf free cfree memalign aligned_alloc posix_memalign _malloc_r _calloc_r _realloc_r
_free_r _reallocf_r _memalign_r __wrap_malloc __wrap_calloc __wrap_realloc __wrap_free pvPortMalloc vPortFree
strdup strndup _strdup_r _strndup_r trace_malloc trace_free trace_realloc
block_locate_free block_prepare_used block_prepare_free block_merge_next block_merge_prev block_trim_free
block_trim_free_leading block_trim_used block_split block_remove block_insert block_absorb block_next block_prev
block_link_next block_mark_as_free block_mark_as_used block_size block_is_free block_is_last remove_free_block
insert_free_block search_suitable_block mapping_insert mapping_search assert_valid_block get_next_block
get_prev_free_block split_if_necessary merge_adjacent verify_allocated_region verify_fill_pattern
poison_allocated_region find_containing_heap subtract_poison_overhead hex_to_str`;

const FORMATTING = `
printf vprintf fprintf vfprintf sprintf vsprintf snprintf vsnprintf asprintf vasprintf iprintf fiprintf siprintf
sniprintf vfiprintf puts putchar putc fputs fputc fputwc fwrite fflush fclose sscanf vsscanf siscanf _printf_r
_vprintf_r _fprintf_r _vfprintf_r _vfiprintf_r _sprintf_r _snprintf_r _vsnprintf_r _vsprintf_r _svfprintf_r
_svfiprintf_r _printf_i _printf_float _printf_common __sfputs_r __sfputc_r __sprint_r __ssprint_r __ssputs_r
__sfvwrite_r _fwrite_r _puts_r _putc_r _fputs_r _fputc_r _fflush_r __sflush_r __swbuf_r __swrite __smakebuf_r
_write_r _dtoa_r __ssvfscanf_r __ssvfiscanf_r __svfscanf_r esp_vfs_write esp_rom_printf esp_rom_vprintf
esp_rom_output_putc ets_printf ets_vprintf ets_write_char`;

const COPYING = `
memcpy memmove memset memcmp memchr memrchr mempcpy memccpy memmem bcopy bzero bcmp strlen strnlen strcmp strncmp
strcasecmp strncasecmp strcoll strcpy strncpy stpcpy stpncpy strlcpy strcat strncat strlcat strchr strchrnul strrchr
strstr strcasestr strnstr strtok strtok_r __strtok_r strspn strcspn strpbrk strsep strtol strtoul strtoll strtoull
strtod strtof _strtol_r _strtoul_r _strtod_r _strtod_l _strtol_l _strtoul_l atoi atol atoll atof qsort bsearch
esp_rom_memcpy __memcpy_aux __udivdi3 __divdi3 __umoddi3 __moddi3 __udivsi3 __divsi3 __umodsi3 __modsi3`;

const NAMES: ReadonlySet<string> = named(
  STOPPING,
  STARTING,
  SWITCHING,
  WAITING,
  ALLOCATING,
  FORMATTING,
  COPYING,
);

/** Prefixes that only the system's own functions have. */
const FAMILIES =
  /^(?:__ubsan_handle_|__retarget_lock_|__asan_|__kasan_|kasan_|heap_caps_|multi_heap_|tlsf_|esp_log_|_Unwind_|operator (?:new|delete)\b)/;

/** The library's own code; what it was given comes from its caller. */
const LIBRARY_NAMESPACES = /^(?:std|__gnu_cxx|__cxxabiv1)::/;

/** Copies that the compiler makes of a function have its name and a suffix. */
const COPY_SUFFIX = /\.(?:isra|constprop|part|cold|lto_priv|llvm)\b.*$/s;

/** The function's name without parameters and without the compiler's suffixes. */
export function plainName(name: string): string {
  return name.replace(/(?<=.)\(.*$/s, '').replace(COPY_SUFFIX, '');
}

/** True when a function of this name is never the place of a crash. */
export function isSystemFunction(name: string): boolean {
  return name.length > LONGEST_REMEMBERED ? isOfSystem(name) : knownAsSystem(name);
}

const LONGEST_REMEMBERED = 200;
const knownAsSystem = remember(2_048, isOfSystem);

function isOfSystem(name: string): boolean {
  const plain = plainName(name);
  return NAMES.has(plain) || FAMILIES.test(plain) || LIBRARY_NAMESPACES.test(plain) || isRustRuntime(name);
}

const STOPS = named(STOPPING);

/** True for a function that stops the chip or the program, as `abort` does. */
export function isStoppingFunction(name: string): boolean {
  const plain = plainName(name);
  return STOPS.has(plain) || /^(?:__ubsan_handle_|_Unwind_)/.test(plain) || LIBRARY_NAMESPACES.test(plain);
}

const ALLOCATES = named(ALLOCATING);

/** True for a function of the heap: who finds it broken is mostly not who broke it. */
export function isHeapFunction(name: string): boolean {
  const plain = plainName(name);
  return ALLOCATES.has(plain) || /^(?:heap_caps_|multi_heap_|tlsf_|operator (?:new|delete)\b)/.test(plain);
}

function named(...lists: string[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.trim().split(/\s+/)));
}
