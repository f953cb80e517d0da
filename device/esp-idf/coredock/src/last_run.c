/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "last_run.h"

#include <stddef.h>
#include "esp_attr.h"
#include "esp_timer.h"
#include "digest.h"
#include "options.h"

#define RECORD_MAGIC 0xc0de0c4bu
#define PERIOD_US (10 * 1000 * 1000)

typedef struct {
    uint32_t magic;
    uint32_t boots;
    uint32_t uptime_s;
    /* CRC-32 of the fields before it. After power was lost the memory holds anything. */
    uint32_t crc;
} record_t;

/* Not in RTC memory: some chips have none, and there the attribute is silently without effect up to 5.5. */
static __NOINIT_ATTR record_t s_record;
static bool s_is_known;
static uint32_t s_last_uptime_s;

static CDK_PANIC_CODE void write_record(uint32_t boots, uint32_t uptime_s)
{
    s_record = (record_t){.magic = RECORD_MAGIC, .boots = boots, .uptime_s = uptime_s};
    s_record.crc = cdk_crc32(0, &s_record, offsetof(record_t, crc));
}

uint32_t cdk_last_run_begin(void)
{
    s_is_known =
        s_record.magic == RECORD_MAGIC && s_record.crc == cdk_crc32(0, &s_record, offsetof(record_t, crc));
    s_last_uptime_s = s_is_known ? s_record.uptime_s : 0;
    uint32_t boots = s_is_known ? s_record.boots + 1 : 1;
    write_record(boots, 0);
    return boots;
}

bool cdk_last_run_uptime(uint32_t *seconds)
{
    *seconds = s_last_uptime_s;
    return s_is_known;
}

void CDK_PANIC_CODE cdk_last_run_note(void)
{
    write_record(s_record.boots, (uint32_t)(esp_timer_get_time() / 1000000));
}

static void on_period(void *unused)
{
    (void)unused;
    cdk_last_run_note();
}

void cdk_last_run_watch(void)
{
    /* Skipping: otherwise it would wake a device from automatic light sleep. */
    const esp_timer_create_args_t arguments = {
        .callback = on_period,
        .name = "coredock",
        .skip_unhandled_events = true,
    };
    esp_timer_handle_t timer = NULL;
    if (esp_timer_create(&arguments, &timer) == ESP_OK) {
        esp_timer_start_periodic(timer, PERIOD_US);
    }
}
