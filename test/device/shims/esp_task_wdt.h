#pragma once

#include "esp_err.h"

typedef void (*task_wdt_msg_handler)(void *opaque, const char *msg);

esp_err_t esp_task_wdt_print_triggered_tasks(task_wdt_msg_handler msg_handler, void *opaque, int *cpus_fail);
