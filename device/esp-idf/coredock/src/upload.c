/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "upload.h"

#include "esp_log.h"
#include "discard.h"

static const char *TAG = "coredock";

/* The server has the dump, but erasing it failed: it is not sent again in this run. */
static bool s_is_stored;
/* What was logged last, so that a refusal that stays is one line. */
static int s_logged_status;

cdk_outcome_t cdk_outcome_of(int status)
{
    /* Nothing that the server says: it is the sign-in page of a network, a proxy, or another server at the old address. */
    if (status < 400) {
        return CDK_UNREACHABLE;
    }
    /* 408: too slow. 409: the same request is in progress. 425, 429: too early, too often. */
    if (status == 408 || status == 409 || status == 425 || status == 429 || status >= 500) {
        return CDK_BUSY;
    }
    return CDK_REFUSED;
}

static cdk_outcome_t discard(const cdk_dump_t *dump, cdk_exchange_t *exchange)
{
    esp_err_t err = cdk_discard(dump, exchange->chunk, sizeof(exchange->chunk));
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the server has the core dump, but it cannot be erased (%s)", esp_err_to_name(err));
        return CDK_BUSY;
    }
    s_is_stored = false;
    return CDK_DONE;
}

static cdk_outcome_t explain(const cdk_exchange_t *exchange)
{
    if (exchange->status != s_logged_status) {
        ESP_LOGW(TAG, "core dump not taken, it is kept: HTTP %d %s", exchange->status, exchange->body);
        if (exchange->status >= 300 && exchange->status < 400) {
            ESP_LOGW(TAG, "redirects are not followed: set the final address of the server");
        }
        s_logged_status = exchange->status;
    }
    return cdk_outcome_of(exchange->status);
}

static esp_err_t read_dump(const void *source, size_t at, void *buffer, size_t length)
{
    return cdk_dump_read(source, at, buffer, length);
}

static cdk_outcome_t offer(const cdk_settings_t *settings, cdk_exchange_t *exchange, const cdk_dump_t *dump)
{
    cdk_address_t address;
    cdk_address_begin(&address, exchange->address, sizeof(exchange->address), settings, "/api/iot/coredump");
    cdk_address_add_firmware(&address, settings);
    cdk_address_add_device(&address, settings);
    esp_err_t err = cdk_dump_key(dump, exchange->key, exchange->chunk, sizeof(exchange->chunk));
    if (err != ESP_OK || !address.is_whole) {
        ESP_LOGE(TAG, "the core dump cannot be read (%s)", esp_err_to_name(err));
        return CDK_REFUSED;
    }
    const cdk_body_t body = {.size = dump->size, .type = "application/octet-stream", .read = read_dump, .source = dump};
    err = cdk_request_post(settings, exchange, &body);
    if (err == ESP_OK && cdk_is_receipt(exchange)) {
        ESP_LOGI(TAG, "core dump of %u bytes sent", (unsigned)dump->size);
        s_is_stored = true;
        return discard(dump, exchange);
    }
    if (exchange->status != 0 && exchange->status != 201) {
        return explain(exchange); /* Also when it came before everything was sent. */
    }
    if (err != ESP_OK) {
        ESP_LOGW(TAG, "core dump not sent, it is kept (%s)", esp_err_to_name(err));
        return CDK_UNREACHABLE;
    }
    return explain(exchange);
}

cdk_outcome_t cdk_upload(const cdk_settings_t *settings, cdk_exchange_t *exchange)
{
    cdk_dump_t dump;
    esp_err_t err = cdk_dump_find(&dump);
    if (err == ESP_ERR_NOT_FOUND) {
        return CDK_DONE;
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the core dump partition cannot be read (%s)", esp_err_to_name(err));
        return CDK_REFUSED;
    }
    return s_is_stored ? discard(&dump, exchange) : offer(settings, exchange, &dump);
}
