#pragma once

#include <stdint.h>
#ifdef SHIM_HOST
#include <pthread.h>
#endif

typedef int BaseType_t;
typedef unsigned int UBaseType_t;
typedef uint32_t TickType_t;

#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdPASS pdTRUE
#define configTICK_RATE_HZ 1000
/* It overflows as in FreeRTOS. */
#define pdMS_TO_TICKS(ms) ((TickType_t)(((TickType_t)(ms) * (TickType_t)configTICK_RATE_HZ) / (TickType_t)1000U))

#ifdef SHIM_HOST
typedef pthread_mutex_t portMUX_TYPE;
#define portMUX_INITIALIZER_UNLOCKED PTHREAD_MUTEX_INITIALIZER
#else
typedef struct {
    uint32_t owner;
    uint32_t count;
} portMUX_TYPE;
#define portMUX_INITIALIZER_UNLOCKED {.owner = 0xb33fffff, .count = 0}
#endif

void shim_enter_critical(portMUX_TYPE *mux);
void shim_exit_critical(portMUX_TYPE *mux);
#define portENTER_CRITICAL_SAFE(mux) shim_enter_critical(mux)
#define portEXIT_CRITICAL_SAFE(mux) shim_exit_critical(mux)
BaseType_t xPortInIsrContext(void);
BaseType_t xPortInterruptedFromISRContext(void);
BaseType_t xPortGetCoreID(void);
