/* The hook of Arduino's core for the ESP32, which wraps the panic handler itself. Only with SHIM_ARDUINO. */
#include "esp_private/panic_internal.h"
#include "shim.h"

#if SHIM_ARDUINO

typedef struct {
    int core;
    const char *reason;
    const void *pc;
    uint32_t backtrace[60];
} arduino_panic_info_t;
typedef void (*arduino_panic_handler_t)(arduino_panic_info_t *info, void *arg);

static arduino_panic_handler_t s_handler;
static void *s_argument;

void set_arduino_panic_handler(arduino_panic_handler_t handler, void *arg)
{
    s_handler = handler;
    s_argument = arg;
}

arduino_panic_handler_t get_arduino_panic_handler(void)
{
    return s_handler;
}

void *get_arduino_panic_handler_arg(void)
{
    return s_argument;
}

void __real_esp_panic_handler(panic_info_t *info);
void __wrap_esp_panic_handler(panic_info_t *info);

void __wrap_esp_panic_handler(panic_info_t *info)
{
    arduino_panic_info_t panic = {.core = info->core, .reason = info->reason, .pc = info->addr};
    if (s_handler != NULL) {
        s_handler(&panic, s_argument);
    }
    __real_esp_panic_handler(info);
}

#endif
