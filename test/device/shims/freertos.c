/* Tasks are threads, ticks are milliseconds divided by DEVICE_SPEED. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "shim.h"

/* Who polls in fast time would use a whole core. */
#define SHORTEST_DELAY_NS 2000000

_Thread_local bool shim_is_interrupt;

static long speed(void)
{
    static long factor;
    if (factor == 0) {
        factor = shim_number("DEVICE_SPEED", 1);
    }
    return factor;
}

static int64_t now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t esp_timer_get_time(void)
{
    static int64_t start;
    if (start == 0) {
        start = now_us(CLOCK_MONOTONIC);
    }
    return (now_us(CLOCK_MONOTONIC) - start) * speed();
}

struct esp_timer {
    esp_timer_create_args_t arguments;
};

esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args, esp_timer_handle_t *out_handle)
{
    static struct esp_timer timer;
    timer.arguments = *create_args;
    *out_handle = &timer;
    return ESP_OK;
}

/* Once is enough for the tests. */
esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period)
{
    (void)period;
    timer->arguments.callback(timer->arguments.arg);
    return ESP_OK;
}

void shim_enter_critical(portMUX_TYPE *mux)
{
    pthread_mutex_lock(mux);
}

void shim_exit_critical(portMUX_TYPE *mux)
{
    pthread_mutex_unlock(mux);
}

BaseType_t xPortInIsrContext(void)
{
    return shim_is_interrupt;
}

SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t *memory)
{
    pthread_mutex_init(&memory->mutex, NULL);
    pthread_cond_init(&memory->changed, NULL);
    memory->is_given = 0;
    return memory;
}

static struct timespec after_ticks(TickType_t ticks)
{
    int64_t end = now_us(CLOCK_REALTIME) + (int64_t)ticks * 1000 / speed();
    return (struct timespec){.tv_sec = end / 1000000, .tv_nsec = end % 1000000 * 1000};
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t ticks)
{
    shim_step("xSemaphoreTake");
    struct timespec end = after_ticks(ticks);
    pthread_mutex_lock(&semaphore->mutex);
    int err = 0;
    while (!semaphore->is_given && ticks > 0 && err != ETIMEDOUT) {
        err = pthread_cond_timedwait(&semaphore->changed, &semaphore->mutex, &end);
    }
    BaseType_t taken = semaphore->is_given ? pdTRUE : pdFALSE;
    semaphore->is_given = 0;
    pthread_mutex_unlock(&semaphore->mutex);
    return taken;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore)
{
    pthread_mutex_lock(&semaphore->mutex);
    semaphore->is_given = 1;
    pthread_cond_signal(&semaphore->changed);
    pthread_mutex_unlock(&semaphore->mutex);
    return pdTRUE;
}

static atomic_bool s_is_scheduling;

void shim_start_scheduler(void)
{
    atomic_store(&s_is_scheduling, true);
}

bool shim_is_scheduling(void)
{
    return atomic_load(&s_is_scheduling);
}

typedef struct {
    TaskFunction_t code;
    void *parameters;
} start_t;

static void *begin(void *argument)
{
    start_t start = *(start_t *)argument;
    free(argument);
    while (!shim_is_scheduling()) {
        nanosleep(&(struct timespec){.tv_nsec = SHORTEST_DELAY_NS}, NULL);
    }
    start.code(start.parameters);
    return NULL;
}

BaseType_t xTaskCreate(TaskFunction_t code, const char *const name, const uint32_t stack_depth, void *const parameters,
                       UBaseType_t priority, TaskHandle_t *const created_task)
{
    (void)name;
    (void)stack_depth;
    (void)priority;
    (void)created_task;
    shim_step("xTaskCreate");
    if (shim_number("DEVICE_NO_TASK", 0) != 0) {
        return 0;
    }
    start_t *start = malloc(sizeof(*start));
    *start = (start_t){code, parameters};
    pthread_t thread;
    if (pthread_create(&thread, NULL, begin, start) != 0) {
        return 0;
    }
    pthread_detach(thread);
    return pdPASS;
}

void vTaskDelete(TaskHandle_t task)
{
    (void)task;
    shim_step("vTaskDelete");
    pthread_exit(NULL);
}

void vTaskDelay(const TickType_t ticks)
{
    int64_t nanoseconds = (int64_t)ticks * 1000000 / speed();
    nanoseconds = nanoseconds < SHORTEST_DELAY_NS ? SHORTEST_DELAY_NS : nanoseconds;
    struct timespec pause = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    nanosleep(&pause, NULL);
}
