#pragma once

#include "freertos/FreeRTOS.h"

#ifdef SHIM_HOST
typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int is_given;
} StaticSemaphore_t;
#else
typedef struct {
    uint32_t words[21];
} StaticSemaphore_t;
#endif
typedef StaticSemaphore_t *SemaphoreHandle_t;

/* Macros of FreeRTOS. */
SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t *memory);
BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t ticks);
BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore);
