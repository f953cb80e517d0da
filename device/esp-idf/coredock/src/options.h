/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* The options of Kconfig, or their defaults where there is no Kconfig (Arduino). */
#pragma once

#include "esp_attr.h"
#include "esp_idf_version.h"
#include "sdkconfig.h"

#if !CONFIG_COREDOCK_HAS_KCONFIG
#ifndef CONFIG_COREDOCK_SERIAL_FROM_MAC
#define CONFIG_COREDOCK_SERIAL_FROM_MAC 1
#endif
#ifndef CONFIG_COREDOCK_BOOT_REPORT
#define CONFIG_COREDOCK_BOOT_REPORT 1
#endif
#if !defined(CONFIG_COREDOCK_CRASH_SUMMARY) && !CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH
#define CONFIG_COREDOCK_CRASH_SUMMARY 1
#endif
#endif

#ifndef CONFIG_COREDOCK_URL
#define CONFIG_COREDOCK_URL ""
#endif
#ifndef CONFIG_COREDOCK_INGEST_KEY
#define CONFIG_COREDOCK_INGEST_KEY ""
#endif
#ifndef CONFIG_COREDOCK_DEVICE_TOKEN
#define CONFIG_COREDOCK_DEVICE_TOKEN ""
#endif
#ifndef CONFIG_COREDOCK_MODEL
#define CONFIG_COREDOCK_MODEL ""
#endif
#ifndef CONFIG_COREDOCK_LOG_RING_SIZE
#define CONFIG_COREDOCK_LOG_RING_SIZE 2048
#endif
#ifndef CONFIG_COREDOCK_LOG_LINE_MAX
#define CONFIG_COREDOCK_LOG_LINE_MAX 128
#endif
#ifndef CONFIG_COREDOCK_VALUES
#define CONFIG_COREDOCK_VALUES 16
#endif
#if CONFIG_COREDOCK_LOG_RING_SIZE == 0
#undef CONFIG_COREDOCK_CRASH_LOG_SIZE
#define CONFIG_COREDOCK_CRASH_LOG_SIZE 0
#endif
#ifndef CONFIG_COREDOCK_CRASH_LOG_SIZE
#define CONFIG_COREDOCK_CRASH_LOG_SIZE 1024
#endif
#ifndef CONFIG_COREDOCK_CRASH_STACK_SIZE
#define CONFIG_COREDOCK_CRASH_STACK_SIZE 1024
#endif
#ifndef CONFIG_COREDOCK_TASK_STACK_SIZE
#define CONFIG_COREDOCK_TASK_STACK_SIZE 8192
#endif
#ifndef CONFIG_COREDOCK_TASK_PRIORITY
#define CONFIG_COREDOCK_TASK_PRIORITY 2
#endif
#ifndef CONFIG_COREDOCK_TIMEOUT_MS
#define CONFIG_COREDOCK_TIMEOUT_MS 15000
#endif
#ifndef CONFIG_COREDOCK_START_DELAY_S
#define CONFIG_COREDOCK_START_DELAY_S 10
#endif
#ifndef CONFIG_COREDOCK_RETRY_MIN_S
#define CONFIG_COREDOCK_RETRY_MIN_S 15
#endif
#ifndef CONFIG_COREDOCK_RETRY_MAX_S
#define CONFIG_COREDOCK_RETRY_MAX_S 3600
#endif
#ifndef CONFIG_COREDOCK_REFUSED_RETRY_S
#define CONFIG_COREDOCK_REFUSED_RETRY_S 86400
#endif

#if ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(5, 0, 0)
#error "Coredock needs ESP-IDF 5.0 or later; with Arduino, its core for the ESP32 3.0 or later"
#endif

/* What runs in the panic handler is placed as ESP-IDF's own: in flash, unless the project wants it in RAM. */
#if CONFIG_ESP_PANIC_HANDLER_IRAM
#define CDK_PANIC_CODE IRAM_ATTR
#define CDK_PANIC_DATA DRAM_ATTR
#else
#define CDK_PANIC_CODE
#define CDK_PANIC_DATA
#endif

/* With core dumps switched off the linker has no place for the attribute, and there is no dump to be found in. */
#if CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH || CONFIG_ESP_COREDUMP_ENABLE_TO_UART
#define COREDOCK_IN_DUMPS COREDUMP_DRAM_ATTR
#else
#define COREDOCK_IN_DUMPS
#endif
