#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SOC_CPU_CORES_NUM 1

typedef enum {
    PANIC_EXCEPTION_DEBUG,
    PANIC_EXCEPTION_IWDT,
    PANIC_EXCEPTION_TWDT,
    PANIC_EXCEPTION_ABORT,
    PANIC_EXCEPTION_FAULT,
} panic_exception_t;

typedef void (*panic_info_dump_fn_t)(const void* frame);

typedef struct {
    int core;
    panic_exception_t exception;
    const char* reason;
    const char* description;
    panic_info_dump_fn_t details;
    panic_info_dump_fn_t state;
    const void* addr;
    const void* frame;
    bool pseudo_excause;
} panic_info_t;

void panic_abort(const char *details) __attribute__((noreturn));
void esp_panic_handler(panic_info_t *info);

extern bool g_panic_abort;
extern char *g_panic_abort_details;
extern void *g_exc_frames[SOC_CPU_CORES_NUM];
