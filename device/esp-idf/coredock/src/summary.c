/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "summary.h"

#include "esp_log.h"
#include "crash.h"
#include "dump_run.h"
#include "options.h"

#if CONFIG_COREDOCK_CRASH_SUMMARY

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "digest.h"
#include "summary_text.h"

static const char *TAG = "coredock";

/* The server takes no more (docs/api.md). */
#define LONGEST_TEXT 16384

/* What was logged last, so that a refusal that stays is one line. */
static int s_logged_status;

cdk_summary_state_t cdk_summary_look(uint8_t *buffer, size_t buffer_size)
{
    const cdk_crash_record_t *crash = cdk_crash_find();
    if (crash == NULL) {
        return CDK_SUMMARY_NONE;
    }
    cdk_dump_t dump;
    esp_err_t err = cdk_dump_find(&dump);
    if (err == ESP_OK && cdk_dump_is_of_run(&dump, crash->facts.boot_id, buffer, buffer_size)) {
        cdk_crash_forget();
        return CDK_SUMMARY_NONE;
    }
    return err == ESP_OK || err == ESP_ERR_NOT_FOUND ? CDK_SUMMARY_DUE : CDK_SUMMARY_UNKNOWN;
}

/* The server's limit is for the whole text: a log that grows by escaping loses its oldest lines. */
static size_t fit(cdk_summary_text_t *text)
{
    size_t size = cdk_summary_size(text);
    while (size > LONGEST_TEXT && text->log_begin < text->crash->log.length) {
        text->log_begin += 64;
        while (text->log_begin < text->crash->log.length && text->crash->log.text[text->log_begin - 1] != '\n') {
            text->log_begin++;
        }
        size = cdk_summary_size(text);
    }
    return size;
}

static esp_err_t read_text(const void *source, size_t at, void *buffer, size_t length)
{
    cdk_summary_read(source, at, buffer, length);
    return ESP_OK;
}

static void make_key(const cdk_crash_record_t *crash, char key[CDK_DUMP_KEY_SIZE])
{
    char id[2 * sizeof(crash->name.id) + 1];
    cdk_hex(id, crash->name.id, sizeof(crash->name.id));
    snprintf(key, CDK_DUMP_KEY_SIZE, "summary-%s-%08" PRIx32, id, crash->facts.crc);
}

static cdk_outcome_t explain(const cdk_exchange_t *exchange)
{
    bool is_new = exchange->status != s_logged_status;
    if (is_new && (exchange->status == 404 || exchange->status == 405)) {
        ESP_LOGI(TAG, "crash summary kept: the server does not take any yet (HTTP %d)", exchange->status);
    } else if (is_new) {
        ESP_LOGW(TAG, "crash summary not taken, it is kept: HTTP %d %s", exchange->status, exchange->body);
    }
    s_logged_status = exchange->status;
    return cdk_outcome_of(exchange->status);
}

cdk_outcome_t cdk_summary_send(const cdk_settings_t *settings, cdk_exchange_t *exchange)
{
    const cdk_crash_record_t *crash = cdk_crash_find();
    if (crash == NULL) {
        return CDK_DONE;
    }
    cdk_address_t address;
    cdk_address_begin(&address, exchange->address, sizeof(exchange->address), settings, "/api/iot/crash");
    /* Without the version that runs: the summary names that of the crash. */
    cdk_address_add_device(&address, settings);
    if (!address.is_whole) {
        return CDK_REFUSED;
    }
    make_key(crash, exchange->key);
    cdk_summary_text_t text = {.crash = crash};
    const cdk_body_t body = {.size = fit(&text), .type = "application/json", .read = read_text, .source = &text};
    esp_err_t err = cdk_request_post(settings, exchange, &body);
    if (err == ESP_OK && cdk_is_receipt(exchange)) {
        ESP_LOGI(TAG, "crash summary of %u bytes sent", (unsigned)body.size);
        cdk_crash_forget();
        return CDK_DONE;
    }
    if (exchange->status != 0 && exchange->status != 201) {
        return explain(exchange); /* Also when it came before everything was sent. */
    }
    if (err != ESP_OK) {
        ESP_LOGW(TAG, "crash summary not sent, it is kept (%s)", esp_err_to_name(err));
        return CDK_UNREACHABLE;
    }
    return explain(exchange);
}

#else /* CONFIG_COREDOCK_CRASH_SUMMARY is off. */

cdk_summary_state_t cdk_summary_look(uint8_t *buffer, size_t buffer_size)
{
    (void)buffer;
    (void)buffer_size;
    return CDK_SUMMARY_NONE;
}

cdk_outcome_t cdk_summary_send(const cdk_settings_t *settings, cdk_exchange_t *exchange)
{
    (void)settings;
    (void)exchange;
    return CDK_DONE;
}

#endif
