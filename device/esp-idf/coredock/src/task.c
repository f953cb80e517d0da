/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "task.h"

#include <stdatomic.h>
#include <stdlib.h>
#include "esp_log.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "backoff.h"
#include "block.h"
#include "boot_report.h"
#include "discard.h"
#include "dump.h"
#include "last_run.h"
#include "connectivity.h"
#include "summary.h"
#include "upload.h"

static const char *TAG = "coredock";

/* How often coredock_wait looks. */
#define LOOK_MS 20

enum { NOT_STARTED, WORKING, FINISHED };
static atomic_int s_state = NOT_STARTED;

typedef struct {
    cdk_outcome_t boot;
    cdk_outcome_t upload;
    cdk_outcome_t summary;
    cdk_summary_state_t summary_state;
    uint32_t retry_after_s;
} round_t;

static bool is_finished(const round_t *round)
{
    return round->boot == CDK_DONE && round->upload == CDK_DONE && round->summary == CDK_DONE;
}

static uint32_t longer(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Which crashes are to be sent is known before any is: a dump that was sent and erased is not there to tell any more. */
static bool is_settled(round_t *round, cdk_exchange_t *exchange)
{
    if (round->summary_state == CDK_SUMMARY_UNKNOWN) {
        round->summary_state = cdk_summary_look(exchange->chunk, sizeof(exchange->chunk));
    }
    if (round->summary_state == CDK_SUMMARY_NONE) {
        round->summary = CDK_DONE;
    }
    return round->summary_state != CDK_SUMMARY_UNKNOWN;
}

static void send_crashes(const cdk_settings_t *settings, cdk_exchange_t *exchange, round_t *round)
{
    if (round->upload != CDK_DONE) {
        exchange->retry_after_s = 0;
        round->upload = cdk_upload(settings, exchange);
        round->retry_after_s = longer(round->retry_after_s, exchange->retry_after_s);
    }
    if (round->upload != CDK_UNREACHABLE && round->summary != CDK_DONE) {
        exchange->retry_after_s = 0;
        round->summary = cdk_summary_send(settings, exchange);
        round->retry_after_s = longer(round->retry_after_s, exchange->retry_after_s);
    }
}

/* Does what is left to do, once. The memory for it is taken for this time only. */
static void work(const cdk_settings_t *settings, round_t *round)
{
    round->retry_after_s = 0;
    cdk_exchange_t *exchange = malloc(sizeof(*exchange));
    if (exchange == NULL) {
        ESP_LOGW(TAG, "not enough memory now");
        round->upload = CDK_BUSY;
        return;
    }
    bool is_ready = is_settled(round, exchange);
    if (round->boot != CDK_DONE) {
        cdk_dump_t dump;
        bool is_crash_pending = round->summary != CDK_DONE || cdk_dump_find(&dump) == ESP_OK;
        round->boot = cdk_boot_report(settings, exchange, is_crash_pending);
        round->retry_after_s = exchange->retry_after_s;
    }
    /* Whatever became of the report: the crash is more important. Only an unreachable server need not be asked twice. */
    if (!is_ready) {
        ESP_LOGE(TAG, "the core dump partition cannot be read");
        round->upload = CDK_REFUSED;
        round->summary = CDK_REFUSED;
    } else if (round->boot != CDK_UNREACHABLE) {
        send_crashes(settings, exchange, round);
    }
    free(exchange);
}

/* Refused is refused for long: a request that may succeed is not delayed by one that will not. */
static bool is_refused(const round_t *round)
{
    return (round->boot == CDK_DONE || round->boot == CDK_REFUSED) &&
           (round->upload == CDK_DONE || round->upload == CDK_REFUSED) &&
           (round->summary == CDK_DONE || round->summary == CDK_REFUSED);
}

static void pause_after(const cdk_settings_t *settings, const round_t *round, cdk_backoff_t *backoff)
{
    if (is_refused(round)) {
        backoff->failures = 0;
        cdk_network_pause(cdk_backoff_spread(settings->refused_retry_s, esp_random()), false);
        return;
    }
    bool is_unreachable = round->boot == CDK_UNREACHABLE || round->upload == CDK_UNREACHABLE ||
                          round->summary == CDK_UNREACHABLE;
    cdk_network_pause(cdk_backoff_next(backoff, round->retry_after_s, esp_random()),
                      is_unreachable && round->retry_after_s == 0);
}

/* What the run before has left. */
static cdk_summary_state_t look_back(void)
{
    uint8_t *buffer = malloc(CDK_CHUNK_SIZE);
    if (buffer == NULL) {
        return CDK_SUMMARY_UNKNOWN;
    }
    cdk_discard_finish(buffer, CDK_CHUNK_SIZE);
    cdk_summary_state_t state = cdk_summary_look(buffer, CDK_CHUNK_SIZE);
    free(buffer);
    return state;
}

static void run(void *argument)
{
    cdk_settings_t *settings = argument;
    /* ESP-IDF reads it in a constructor too. Which of the two comes first depends on its release. */
    cdk_block_set_reset_reason((uint32_t)esp_reset_reason());
    cdk_last_run_watch();
    cdk_summary_state_t summary_state = look_back();
    cdk_network_wait();
    if (settings->start_delay_s > 0) {
        cdk_network_pause(esp_random() % (settings->start_delay_s * 1000), false);
    }

    cdk_backoff_t backoff = {.min_s = settings->retry_min_s, .max_s = settings->retry_max_s};
    round_t round = {
        .boot = settings->reports_boot ? CDK_BUSY : CDK_DONE,
        .upload = CDK_BUSY,
        .summary = CDK_BUSY,
        .summary_state = summary_state,
    };
    for (;;) {
        work(settings, &round);
        if (is_finished(&round)) {
            break;
        }
        pause_after(settings, &round, &backoff);
    }
    cdk_network_end();
    cdk_settings_free(settings);
    atomic_store(&s_state, FINISHED);
    vTaskDelete(NULL);
}

esp_err_t cdk_task_start(cdk_settings_t *settings)
{
    cdk_network_begin();
    atomic_store(&s_state, WORKING);
    BaseType_t made = xTaskCreate(run, "coredock", settings->task_stack_size, settings, settings->task_priority, NULL);
    if (made != pdPASS) {
        atomic_store(&s_state, NOT_STARTED);
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

esp_err_t coredock_wait(uint32_t timeout_ms)
{
    int64_t end = esp_timer_get_time() + (int64_t)timeout_ms * 1000;
    for (;;) {
        int state = atomic_load(&s_state);
        if (state != WORKING) {
            return state == FINISHED ? ESP_OK : ESP_ERR_INVALID_STATE;
        }
        if (esp_timer_get_time() >= end) {
            return ESP_ERR_TIMEOUT;
        }
        vTaskDelay(pdMS_TO_TICKS(LOOK_MS) + 1);
    }
}
