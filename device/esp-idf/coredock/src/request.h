/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* One HTTP request, from connecting to closing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dump.h"
#include "query.h"
#include "settings.h"

/* Bytes that are read from flash and sent at once; a multiple of 16, for encrypted partitions. */
#define CDK_CHUNK_SIZE 1024

/* The memory of a request: on the heap, while the task works. */
typedef struct {
    char address[CDK_ADDRESS_SIZE];
    uint8_t chunk[CDK_CHUNK_SIZE];
    char key[CDK_DUMP_KEY_SIZE];
    /* The first bytes of the answer's body, ended by NUL. */
    char body[256];
    /* 0: there was no answer. */
    int status;
    /* From `Retry-After`; 0: there was none. */
    uint32_t retry_after_s;
} cdk_exchange_t;

/*
 * Whether the server has what was sent. The status alone is not enough to erase a dump: something between device and server may
 * answer 201. Only the server names the id of what it has stored.
 */
bool cdk_is_receipt(const cdk_exchange_t *exchange);

/* What is sent, read by pieces: the same bytes at each try. */
typedef struct {
    size_t size;
    const char *type;
    esp_err_t (*read)(const void *source, size_t at, void *buffer, size_t length);
    const void *source;
} cdk_body_t;

/*
 * POST to `exchange->address`, with `body` under `exchange->key`, or without one if it is NULL. Redirects are not followed.
 *
 * @return ESP_OK: everything was sent, and `status` is the answer; else what failed, and `status` is the answer if there
 *         was one
 */
esp_err_t cdk_request_post(const cdk_settings_t *settings, cdk_exchange_t *exchange, const cdk_body_t *body);
