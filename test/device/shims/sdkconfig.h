/* As idf.py would make it for an ESP32-C3 with core dumps in flash; a test may change the rest by -D. */
#pragma once

#if CONFIG_IDF_TARGET_ARCH_XTENSA
#define CONFIG_IDF_TARGET "esp32s3"
#define CONFIG_FREERTOS_WATCHPOINT_END_OF_STACK 1
#else
#define CONFIG_IDF_TARGET "esp32c3"
#define CONFIG_IDF_TARGET_ARCH_RISCV 1
#endif
#define CONFIG_ESP_TASK_WDT_EN 1
#define CONFIG_ESP_COREDUMP_DATA_FORMAT_ELF 1
#define CONFIG_MBEDTLS_CERTIFICATE_BUNDLE 1
#ifndef CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH
#define CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH 1
#endif
