/*
 * The way into ESP-IDF's panic handler, and what a handler can ask. The memory of the device is where it is on the device, below 4 GiB. By the
 * environment:
 *
 *   DEVICE_PANIC_REASON   the exception
 *   DEVICE_PANIC_ABORT    the text of abort(); empty: abort() without one
 *   DEVICE_PANIC_TASK_WDT 1: the task watchdog
 *   DEVICE_PANIC_ISR      1: in an interrupt handler
 *   DEVICE_PANIC_TASK     name of the task; empty: before the scheduler runs
 *   DEVICE_PANIC_TWICE    1: the name of the task cannot be read, and the handler is entered again
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "esp_debug_helpers.h"
#include "esp_memory_utils.h"
#include "esp_private/panic_internal.h"
#include "esp_private/system_internal.h"
#include "esp_task_wdt.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "shim.h"

#if CONFIG_IDF_TARGET_ARCH_XTENSA
#define REGISTERS 24
#define SP_REGISTER 3
#else
#define REGISTERS 37
#define SP_REGISTER 2
#endif

#define MAX_STACK 65536
#define PAGE 4096u

bool g_panic_abort;
char *g_panic_abort_details;
void *g_exc_frames[SOC_CPU_CORES_NUM];

/* Where the stack of the crashed task is. */
static uint32_t s_memory_begin;
static uint32_t s_memory_end;
static panic_info_t s_info;

static bool is_set(const char *name)
{
    return shim_number(name, 0) != 0;
}

static const char *text_or(const char *name, const char *otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : text;
}

bool esp_ptr_in_dram(const void *p)
{
    return (uintptr_t)p >= s_memory_begin && (uintptr_t)p < s_memory_end;
}

bool esp_ptr_external_ram(const void *p)
{
    (void)p;
    return false;
}

bool esp_stack_ptr_is_sane(uint32_t sp)
{
    return sp % 16 == 0 && sp >= s_memory_begin + 16 && sp <= s_memory_end - 16;
}

/* As on Xtensa: the base save area of the caller is below the stack pointer. */
bool esp_backtrace_get_next_frame(esp_backtrace_frame_t *frame)
{
    const uint32_t *saved = (const uint32_t *)(uintptr_t)(frame->sp - 16);
    frame->pc = frame->next_pc;
    frame->next_pc = saved[0];
    frame->sp = saved[1];
    return esp_stack_ptr_is_sane(frame->sp) && frame->pc != 0;
}

BaseType_t xPortInterruptedFromISRContext(void)
{
    return is_set("DEVICE_PANIC_ISR");
}

BaseType_t xPortGetCoreID(void)
{
    return 0;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return text_or("DEVICE_PANIC_TASK", "sensor")[0] == '\0' ? NULL : (TaskHandle_t)&s_info;
}

esp_reset_reason_t esp_reset_reason_get_hint(void)
{
    return is_set("DEVICE_PANIC_TASK_WDT") ? ESP_RST_TASK_WDT : ESP_RST_UNKNOWN;
}

esp_err_t esp_task_wdt_print_triggered_tasks(task_wdt_msg_handler msg_handler, void *opaque, int *cpus_fail)
{
    (void)cpus_fail;
    msg_handler(opaque, "Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:");
    msg_handler(opaque, "\n - ");
    msg_handler(opaque, "IDLE0");
    msg_handler(opaque, " (CPU 0)");
    return ESP_OK;
}

/* panic_handler.c, or what the linker wraps around it. */
void shim_raise(void)
{
    esp_panic_handler(&s_info);
    abort();
}

char *pcTaskGetName(TaskHandle_t task)
{
    (void)task;
    if (is_set("DEVICE_PANIC_TWICE")) {
        s_info.reason = "Load access fault";
        shim_raise();
    }
    return (char *)text_or("DEVICE_PANIC_TASK", "sensor");
}

static void map_stack(uint32_t address, const uint8_t *bytes, size_t size)
{
    uint32_t begin = address / PAGE * PAGE;
    size_t length = (address - begin + size + PAGE - 1) / PAGE * PAGE;
    void *memory = mmap((void *)(uintptr_t)begin, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        _exit(70);
    }
    memcpy((void *)(uintptr_t)address, bytes, size);
    s_memory_begin = address;
    s_memory_end = address + (uint32_t)size;
}

void shim_panic(const char *path)
{
    /* The first word of Xtensa's frame says where to return to. */
    static uint32_t words[REGISTERS + 2 + MAX_STACK / 4];
    FILE *file = fopen(path, "rb");
    size_t count = file == NULL ? 0 : fread(words + 1, 4, sizeof(words) / 4 - 1, file);
    if (count < REGISTERS) {
        _exit(70);
    }
    fclose(file);
    if (count > REGISTERS + 1) {
        map_stack(words[REGISTERS + 1], (const uint8_t *)(words + REGISTERS + 2), (count - REGISTERS - 1) * 4);
    }
    s_info = (panic_info_t){
        .exception = PANIC_EXCEPTION_FAULT,
        .reason = text_or("DEVICE_PANIC_REASON", "Load access fault"),
#if CONFIG_IDF_TARGET_ARCH_XTENSA
        .frame = words,
#else
        .frame = words + 1,
#endif
    };
    g_exc_frames[0] = (void *)s_info.frame;
    const char *details = getenv("DEVICE_PANIC_ABORT");
    if (details != NULL) {
        panic_abort(details[0] == '\0' ? NULL : details);
    }
    g_panic_abort = is_set("DEVICE_PANIC_TASK_WDT");
    shim_raise();
}
