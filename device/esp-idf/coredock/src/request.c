/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "request.h"

#include <string.h>
#include <strings.h>
#include "esp_http_client.h"
#include "options.h"

#if CONFIG_MBEDTLS_CERTIFICATE_BUNDLE
#include "esp_crt_bundle.h"
#endif

/* What esp_http_client needs for a line of the head, beside a long token. */
#define HEAD_SIZE 1024
#define LONGEST_RETRY_AFTER_S 86400

/* Seconds. A date is not read: the device may not know what time it is. */
static uint32_t seconds_of(const char *text)
{
    uint32_t seconds = 0;
    if (*text < '0' || *text > '9') {
        return 0;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        seconds = seconds * 10 + (uint32_t)(*text - '0');
        if (seconds > LONGEST_RETRY_AFTER_S) {
            return LONGEST_RETRY_AFTER_S;
        }
    }
    return *text == '\0' ? seconds : 0;
}

static esp_err_t on_event(esp_http_client_event_t *event)
{
    if (event->event_id == HTTP_EVENT_ON_HEADER && strcasecmp(event->header_key, "Retry-After") == 0) {
        cdk_exchange_t *exchange = event->user_data;
        exchange->retry_after_s = seconds_of(event->header_value);
    }
    return ESP_OK;
}

static esp_http_client_handle_t make_client(const cdk_settings_t *settings, cdk_exchange_t *exchange)
{
    size_t token_size = settings->authorization == NULL ? 0 : strlen(settings->authorization);
    esp_http_client_config_t config = {
        .url = exchange->address,
        .method = HTTP_METHOD_POST,
        .timeout_ms = (int)settings->timeout_ms,
        .disable_auto_redirect = true,
        .event_handler = on_event,
        .user_data = exchange,
        .buffer_size = HEAD_SIZE,
        .buffer_size_tx = (int)(HEAD_SIZE + token_size),
        .cert_pem = settings->ca_pem,
#if CONFIG_MBEDTLS_CERTIFICATE_BUNDLE
        .crt_bundle_attach = settings->ca_pem == NULL ? esp_crt_bundle_attach : NULL,
#endif
    };
    return esp_http_client_init(&config);
}

static esp_err_t set_headers(esp_http_client_handle_t client, const cdk_settings_t *settings, cdk_exchange_t *exchange,
                             const cdk_body_t *body)
{
    esp_err_t err = ESP_OK;
    if (settings->authorization != NULL) {
        err = esp_http_client_set_header(client, "Authorization", settings->authorization);
    }
    if (err == ESP_OK && body != NULL) {
        err = esp_http_client_set_header(client, "Content-Type", body->type);
    }
    if (err == ESP_OK && body != NULL) {
        err = esp_http_client_set_header(client, "Idempotency-Key", exchange->key);
    }
    return err;
}

static esp_err_t send_body(esp_http_client_handle_t client, cdk_exchange_t *exchange, const cdk_body_t *body)
{
    for (size_t at = 0; at < body->size;) {
        size_t length = body->size - at < CDK_CHUNK_SIZE ? body->size - at : CDK_CHUNK_SIZE;
        esp_err_t err = body->read(body->source, at, exchange->chunk, length);
        if (err != ESP_OK) {
            return err;
        }
        /* After anything else than `length`, nobody knows what was sent. */
        if (esp_http_client_write(client, (const char *)exchange->chunk, (int)length) != (int)length) {
            return ESP_ERR_HTTP_WRITE_DATA;
        }
        at += length;
    }
    return ESP_OK;
}

static esp_err_t read_answer(esp_http_client_handle_t client, cdk_exchange_t *exchange)
{
    if (esp_http_client_fetch_headers(client) < 0) {
        return ESP_ERR_HTTP_FETCH_HEADER;
    }
    int status = esp_http_client_get_status_code(client);
    if (status < 100) {
        return ESP_ERR_HTTP_FETCH_HEADER;
    }
    exchange->status = status;
    size_t length = 0;
    while (length < sizeof(exchange->body) - 1) {
        int read = esp_http_client_read(client, exchange->body + length, (int)(sizeof(exchange->body) - 1 - length));
        if (read <= 0) {
            break;
        }
        length += (size_t)read;
    }
    exchange->body[length] = '\0';
    return ESP_OK;
}

esp_err_t cdk_request_post(const cdk_settings_t *settings, cdk_exchange_t *exchange, const cdk_body_t *body)
{
    exchange->status = 0;
    exchange->retry_after_s = 0;
    exchange->body[0] = '\0';
    /* A client for each request: reusing one leaks TLS contexts in 6.0, and may read the answer to the request before. */
    esp_http_client_handle_t client = make_client(settings, exchange);
    if (client == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = set_headers(client, settings, exchange, body);
    if (err == ESP_OK) {
        /* With the length: before 6.1, a body without one would have to be framed by hand. */
        err = esp_http_client_open(client, body == NULL ? 0 : (int)body->size);
    }
    if (err == ESP_OK) {
        esp_err_t sent = body == NULL ? ESP_OK : send_body(client, exchange, body);
        /* A refusal may come before everything was sent. */
        esp_err_t answered = read_answer(client, exchange);
        err = sent == ESP_OK ? answered : sent;
    }
    esp_http_client_close(client);
    esp_http_client_cleanup(client);
    return err;
}

bool cdk_is_receipt(const cdk_exchange_t *exchange)
{
    return exchange->status == 201 && strstr(exchange->body, "\"coredumpId\"") != NULL;
}
