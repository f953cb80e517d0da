/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "digest.h"
#include "options.h"

#if CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH

#include "esp_core_dump.h"

/* Length of the longest checksum that an image ends with: SHA-256. CRC-32 has 4 bytes. */
#define TAIL_SIZE 32

const esp_partition_t *cdk_dump_partition(void)
{
    /* The first one, as ESP-IDF does. */
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_COREDUMP, NULL);
}

esp_err_t cdk_dump_find(cdk_dump_t *dump)
{
    size_t address = 0;
    size_t size = 0;
    esp_err_t err = esp_core_dump_image_get(&address, &size);
    /* Up to 5.5 a blank partition is ESP_ERR_INVALID_SIZE, since 6.0 it is ESP_ERR_NOT_FOUND. */
    if (err == ESP_ERR_INVALID_SIZE) {
        return ESP_ERR_NOT_FOUND;
    }
    if (err != ESP_OK) {
        return err;
    }
    const esp_partition_t *partition = cdk_dump_partition();
    if (partition == NULL || address < partition->address || size == 0 ||
        address - partition->address > partition->size || size > partition->size - (address - partition->address)) {
        return ESP_ERR_NOT_FOUND;
    }
    *dump = (cdk_dump_t){.partition = partition, .offset = address - partition->address, .size = size};
    return ESP_OK;
}

esp_err_t cdk_dump_read(const cdk_dump_t *dump, size_t at, void *buffer, size_t length)
{
    /* Not mapped: a mapping needs free pages of the MMU, and must not be held while the network is slow. */
    return esp_partition_read(dump->partition, dump->offset + at, buffer, length);
}

esp_err_t cdk_dump_hash(const cdk_dump_t *dump, uint64_t *hash, uint8_t *buffer, size_t buffer_size)
{
    *hash = CDK_FNV_START;
    for (size_t at = 0; at < dump->size;) {
        size_t length = dump->size - at < buffer_size ? dump->size - at : buffer_size;
        esp_err_t err = cdk_dump_read(dump, at, buffer, length);
        if (err != ESP_OK) {
            return err;
        }
        *hash = cdk_fnv1a(*hash, buffer, length);
        at += length;
    }
    return ESP_OK;
}

/*
 * The checksum at the end would do for whole dumps. A dump that the device could not finish has erased flash there, as
 * any other unfinished one; so a hash of all bytes belongs to the key too.
 */
esp_err_t cdk_dump_key(const cdk_dump_t *dump, char key[CDK_DUMP_KEY_SIZE], uint8_t *buffer, size_t buffer_size)
{
    uint64_t hash;
    esp_err_t err = cdk_dump_hash(dump, &hash, buffer, buffer_size);
    if (err != ESP_OK) {
        return err;
    }
    uint8_t tail[TAIL_SIZE];
    size_t tail_size = dump->size < sizeof(tail) ? dump->size : sizeof(tail);
    err = cdk_dump_read(dump, dump->size - tail_size, tail, tail_size);
    if (err != ESP_OK) {
        return err;
    }
    char tail_digits[2 * TAIL_SIZE + 1];
    cdk_hex(tail_digits, tail, tail_size);
    snprintf(key, CDK_DUMP_KEY_SIZE, "%" PRIx32 "-%08" PRIx32 "%08" PRIx32 "-%s", (uint32_t)dump->size,
             (uint32_t)(hash >> 32), (uint32_t)hash, tail_digits);
    return ESP_OK;
}

#else /* Core dumps are not written to flash. */

const esp_partition_t *cdk_dump_partition(void)
{
    return NULL;
}

esp_err_t cdk_dump_find(cdk_dump_t *dump)
{
    (void)dump;
    return ESP_ERR_NOT_FOUND;
}

esp_err_t cdk_dump_read(const cdk_dump_t *dump, size_t at, void *buffer, size_t length)
{
    (void)dump;
    (void)at;
    (void)buffer;
    (void)length;
    return ESP_ERR_NOT_FOUND;
}

esp_err_t cdk_dump_key(const cdk_dump_t *dump, char key[CDK_DUMP_KEY_SIZE], uint8_t *buffer, size_t buffer_size)
{
    (void)dump;
    (void)key;
    (void)buffer;
    (void)buffer_size;
    return ESP_ERR_NOT_FOUND;
}

esp_err_t cdk_dump_hash(const cdk_dump_t *dump, uint64_t *hash, uint8_t *buffer, size_t buffer_size)
{
    (void)dump;
    (void)hash;
    (void)buffer;
    (void)buffer_size;
    return ESP_ERR_NOT_FOUND;
}

#endif
