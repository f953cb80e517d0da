/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/*
 * The hook into ESP-IDF's panic handler: notes what is known of the crash, and goes on to what ESP-IDF does (text, dump, restart).
 *
 * ESP-IDF has stopped the other core, and has switched the flash cache on again if it was off. There is no heap, no lock and
 * no log here, and each address that is followed may be wrong: then the handler is entered again, and what was noted until
 * then stays.
 */
#include "crash.h"

#if CONFIG_COREDOCK_CRASH_SUMMARY

#include <string.h>
#include "esp_debug_helpers.h"
#include "esp_log.h"
#include "esp_memory_utils.h"
#include "esp_private/panic_internal.h"
#include "esp_private/system_internal.h"
#include "esp_task_wdt.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "block.h"
#include "identity.h"
#include "last_run.h"
#include "log_ring.h"

#if CONFIG_IDF_TARGET_ARCH_XTENSA
#include "esp_cpu_utils.h"
#endif

static const char *TAG = "coredock";

/* Copies at most `size` - 1 bytes of a text. */
static CDK_PANIC_CODE void copy_text(char *to, size_t size, const char *text)
{
    size_t length = 0;
    for (; text != NULL && length + 1 < size && text[length] != '\0'; length++) {
        to[length] = text[length];
    }
    memset(to + length, 0, size - length);
}

/* The task watchdog makes it look like an abort() of the task that was running. */
static CDK_PANIC_CODE bool is_task_watchdog(void)
{
    return g_panic_abort && esp_reset_reason_get_hint() == ESP_RST_TASK_WDT;
}

static CDK_PANIC_CODE uint8_t what_kind(void)
{
    if (is_task_watchdog()) {
        return CDK_CRASH_TASK_WATCHDOG;
    }
    return g_panic_abort ? CDK_CRASH_ABORT : CDK_CRASH_FAULT;
}

/* A crash before coredock_start has no block yet: the version is then that of the image. */
static CDK_PANIC_CODE void note_firmware(cdk_crash_facts_t *facts)
{
    const cdk_block_identity_t *identity = &cdk_block.identity;
    bool is_sealed = identity->firmware_version[0] != '\0';
    memcpy(facts->boot_id, identity->boot_id, sizeof(facts->boot_id));
    memcpy(facts->elf_sha256, is_sealed ? identity->elf_sha256 : cdk_app_elf_sha256(), sizeof(facts->elf_sha256));
    copy_text(facts->firmware_version, sizeof(facts->firmware_version),
              is_sealed ? identity->firmware_version : cdk_app_version());
}

static CDK_PANIC_CODE void note_facts(const panic_info_t *info, cdk_crash_facts_t *facts)
{
    memset(facts, 0, sizeof(*facts));
    facts->kind = what_kind();
    /* The interrupt of the task watchdog is not what went wrong. */
    facts->is_in_interrupt = facts->kind != CDK_CRASH_TASK_WATCHDOG && xPortInterruptedFromISRContext();
    const uint32_t *words = info->frame;
#if CONFIG_IDF_TARGET_ARCH_XTENSA
    words++; /* Where the handler would return to. */
#endif
    memcpy(facts->registers, words, sizeof(facts->registers));
#ifdef __XTENSA__
    __asm__ volatile("rsr.debugcause %0" : "=r"(facts->debug_cause));
#endif
    note_firmware(facts);
}

#if CONFIG_ESP_TASK_WDT_EN && ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 2, 0)
static CDK_PANIC_CODE void append_reason(void *reason, const char *text)
{
    size_t length = strnlen(reason, sizeof(cdk_crash_record.words.reason));
    copy_text((char *)reason + length, sizeof(cdk_crash_record.words.reason) - length, text);
}
#endif

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 2)
#define ABORT_DETAILS g_panic_abort_details
#else
/* ESP-IDF keeps the text of abort() for itself. */
static const char *s_abort_details;
#define ABORT_DETAILS s_abort_details
#endif

static CDK_PANIC_CODE void note_reason(const panic_info_t *info, uint8_t kind, cdk_crash_words_t *words)
{
    memset(words, 0, sizeof(*words));
    if (kind == CDK_CRASH_ABORT) {
        copy_text(words->reason, sizeof(words->reason), ABORT_DETAILS);
    } else if (kind != CDK_CRASH_TASK_WATCHDOG) {
        copy_text(words->reason, sizeof(words->reason), info->reason);
    }
#if CONFIG_ESP_TASK_WDT_EN && ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 2, 0)
    else {
        esp_task_wdt_print_triggered_tasks(append_reason, words->reason, NULL);
    }
#endif
}

static CDK_PANIC_CODE void note_task(cdk_crash_words_t *words)
{
    /* NULL before the scheduler runs. */
    TaskHandle_t task = xTaskGetCurrentTaskHandle();
    copy_text(words->task, sizeof(words->task), task == NULL ? NULL : pcTaskGetName(task));
}

#if CONFIG_IDF_TARGET_ARCH_XTENSA

/* As esp_backtrace_print_from_frame does it. */
static CDK_PANIC_CODE void note_trace(const cdk_crash_facts_t *facts, cdk_crash_trace_t *trace)
{
    esp_backtrace_frame_t frame = {.pc = facts->registers[0], .sp = facts->registers[3], .next_pc = facts->registers[2]};
    memset(trace, 0, sizeof(*trace));
    trace->calls[trace->call_count++] = esp_cpu_process_stack_pc(frame.pc);
    /* A jump to a wrong address: the PC is not sane, but the caller is known. */
    bool is_sane = esp_stack_ptr_is_sane(frame.sp);
    while (is_sane && frame.next_pc != 0 && trace->call_count < CDK_CRASH_CALLS) {
        is_sane = esp_backtrace_get_next_frame(&frame);
        if (is_sane) {
            trace->calls[trace->call_count++] = esp_cpu_process_stack_pc(frame.pc);
        }
    }
}

#else

static CDK_PANIC_CODE bool is_memory(uintptr_t address)
{
    return esp_ptr_in_dram((const void *)address) || esp_ptr_external_ram((const void *)address);
}

/* ESP-IDF prints a kilobyte from the stack pointer, wherever that points to. */
static CDK_PANIC_CODE void note_trace(const cdk_crash_facts_t *facts, cdk_crash_trace_t *trace)
{
    uintptr_t sp = facts->registers[2];
    memset(trace, 0, sizeof(*trace));
    while (trace->stack_size < sizeof(trace->stack) && sp % sizeof(uint32_t) == 0 && is_memory(sp + trace->stack_size)) {
        memcpy(trace->stack + trace->stack_size, (const void *)(sp + trace->stack_size), sizeof(uint32_t));
        trace->stack_size += sizeof(uint32_t);
    }
}

#endif

static CDK_PANIC_CODE void remember(const panic_info_t *info)
{
    /* The first crash is the one that counts: a second one is of this handler, or of ESP-IDF's. */
    static volatile bool s_is_entered;
    if (s_is_entered || info->frame == NULL) {
        return;
    }
    s_is_entered = true;
    cdk_crash_record_t *record = &cdk_crash_record;
    memset(&record->name, 0, sizeof(record->name));
    note_facts(info, &record->facts);
    cdk_crash_seal_facts();
    note_reason(info, record->facts.kind, &record->words);
    cdk_crash_seal_words();
    record->log.length = cdk_log_ring_copy(record->log.text, CONFIG_COREDOCK_CRASH_LOG_SIZE);
    cdk_crash_seal_log();
    note_trace(&record->facts, &record->trace);
    cdk_crash_seal_trace();
    if (cdk_block.identity.firmware_version[0] != '\0') {
        cdk_last_run_note();
    }
    note_task(&record->words);
    cdk_crash_seal_words();
}

#if COREDOCK_WRAPS_PANIC

/* CMakeLists.txt has the linker send ESP-IDF's calls here. */
void __real_esp_panic_handler(panic_info_t *info);
void __wrap_esp_panic_handler(panic_info_t *info);

static CDK_PANIC_CODE void on_panic(panic_info_t *info)
{
    remember(info);
    __real_esp_panic_handler(info);
}

/* Weak, since others wrap it too: Arduino as a component, a project of its own. Theirs is used then, and the build does not fail. */
void __wrap_esp_panic_handler(panic_info_t *info) __attribute__((weak, alias("on_panic")));

static bool is_hooked(void)
{
    return __wrap_esp_panic_handler == on_panic;
}

#if ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(5, 1, 2)
void __real_panic_abort(const char *details) __attribute__((noreturn));
void __wrap_panic_abort(const char *details) __attribute__((noreturn));

/* In RAM, as the original: the flash cache may be off. */
void IRAM_ATTR __wrap_panic_abort(const char *details)
{
    s_abort_details = details;
    __real_panic_abort(details);
}
#endif

#else

static bool is_hooked(void)
{
    return false;
}

#endif

/* Arduino's core has a hook of its own. NULL where it is not in the program. */
typedef struct {
    int core;
    const char *reason;
    const void *pc;
} arduino_panic_t;
typedef void (*arduino_handler_t)(arduino_panic_t *info, void *argument);
void set_arduino_panic_handler(arduino_handler_t handler, void *argument) __attribute__((weak));
arduino_handler_t get_arduino_panic_handler(void) __attribute__((weak));
void *get_arduino_panic_handler_arg(void) __attribute__((weak));

static arduino_handler_t s_former;
static void *s_former_argument;

static CDK_PANIC_CODE void on_arduino_panic(arduino_panic_t *panic, void *unused)
{
    (void)unused;
    panic_info_t info = {.core = panic->core, .reason = panic->reason, .frame = g_exc_frames[xPortGetCoreID()]};
    remember(&info);
    if (s_former != NULL) {
        s_former(panic, s_former_argument);
    }
}

void cdk_crash_listen(void)
{
    if (is_hooked()) {
        return;
    }
    if (set_arduino_panic_handler == NULL || get_arduino_panic_handler == NULL || get_arduino_panic_handler_arg == NULL) {
        ESP_LOGW(TAG, "no crash summaries: another component wraps esp_panic_handler, or the linker was not told to");
        return;
    }
    s_former = get_arduino_panic_handler();
    s_former_argument = get_arduino_panic_handler_arg();
    set_arduino_panic_handler(on_arduino_panic, NULL);
}

#else /* CONFIG_COREDOCK_CRASH_SUMMARY is off. */

void cdk_crash_listen(void)
{
}

#endif
