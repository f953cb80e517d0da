#pragma once

#include <stdarg.h>
#include <stdint.h>

typedef int (*vprintf_like_t)(const char *, va_list);

vprintf_like_t esp_log_set_vprintf(vprintf_like_t func);

/* As log V1 does it: one call for a line, with colours. */
void shim_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define SHIM_LOG(letter, colour, tag, format, ...) \
    shim_log("\033[0;" colour "m" letter " (%u) %s: " format "\033[0m\n", 42u, tag, ##__VA_ARGS__)
#define ESP_LOGE(tag, format, ...) SHIM_LOG("E", "31", tag, format, ##__VA_ARGS__)
#define ESP_LOGW(tag, format, ...) SHIM_LOG("W", "33", tag, format, ##__VA_ARGS__)
#define ESP_LOGI(tag, format, ...) SHIM_LOG("I", "32", tag, format, ##__VA_ARGS__)
