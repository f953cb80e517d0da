#pragma once

#include "freertos/FreeRTOS.h"

typedef struct tskTaskControlBlock *TaskHandle_t;
typedef void (*TaskFunction_t)(void *);

BaseType_t xTaskCreate(TaskFunction_t code, const char *const name, const uint32_t stack_depth, void *const parameters,
                       UBaseType_t priority, TaskHandle_t *const created_task);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
char *pcTaskGetName(TaskHandle_t task);
void vTaskDelete(TaskHandle_t task);
void vTaskDelay(const TickType_t ticks);
