/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* The core dump in flash. All that is asked of ESP-IDF's core dump component is asked here. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "esp_err.h"
#include "esp_partition.h"

typedef struct {
    const esp_partition_t *partition;
    /* From the beginning of the partition, in bytes. */
    size_t offset;
    size_t size;
} cdk_dump_t;

/* Size of a key with its NUL. */
#define CDK_DUMP_KEY_SIZE 100

/* The partition that core dumps are written to; NULL: there is none. */
const esp_partition_t *cdk_dump_partition(void);

/* ESP_OK; ESP_ERR_NOT_FOUND: there is none; or why the partition cannot be read. */
esp_err_t cdk_dump_find(cdk_dump_t *dump);

/* Reads by the driver, which decrypts an encrypted partition. */
esp_err_t cdk_dump_read(const cdk_dump_t *dump, size_t at, void *buffer, size_t length);

/*
 * A name for this dump: the same at each try, another one for any other dump. Reads the whole dump, by pieces of
 * `buffer_size` bytes.
 */
esp_err_t cdk_dump_key(const cdk_dump_t *dump, char key[CDK_DUMP_KEY_SIZE], uint8_t *buffer, size_t buffer_size);

/* FNV-1a of the whole dump, read by pieces of `buffer_size` bytes. */
esp_err_t cdk_dump_hash(const cdk_dump_t *dump, uint64_t *hash, uint8_t *buffer, size_t buffer_size);
