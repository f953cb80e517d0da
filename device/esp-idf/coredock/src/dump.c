/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "esp_log.h"
#include "digest.h"
#include "options.h"

#if CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH

#include "esp_core_dump.h"

static const char *TAG = "coredock";

/* Length of the longest checksum that an image ends with: SHA-256. CRC-32 has 4 bytes. */
#define TAIL_SIZE 32
/* What an encrypted partition can write at once, and what esp_core_dump_image_erase writes. */
#define WORD_BLOCK_SIZE 16
#define BLANK_WORD 0xffffffffu

static const esp_partition_t *find_partition(void)
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
    const esp_partition_t *partition = find_partition();
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

/*
 * The checksum at the end would do for whole dumps. A dump that the device could not finish has erased flash there, as
 * any other unfinished one; so a hash of all bytes belongs to the key too.
 */
esp_err_t cdk_dump_key(const cdk_dump_t *dump, char key[CDK_DUMP_KEY_SIZE], uint8_t *buffer, size_t buffer_size)
{
    uint64_t hash = CDK_FNV_START;
    for (size_t at = 0; at < dump->size;) {
        size_t length = dump->size - at < buffer_size ? dump->size - at : buffer_size;
        esp_err_t err = cdk_dump_read(dump, at, buffer, length);
        if (err != ESP_OK) {
            return err;
        }
        hash = cdk_fnv1a(hash, buffer, length);
        at += length;
    }

    uint8_t tail[TAIL_SIZE];
    size_t tail_size = dump->size < sizeof(tail) ? dump->size : sizeof(tail);
    esp_err_t err = cdk_dump_read(dump, dump->size - tail_size, tail, tail_size);
    if (err != ESP_OK) {
        return err;
    }
    char tail_digits[2 * TAIL_SIZE + 1];
    cdk_hex(tail_digits, tail, tail_size);
    snprintf(key, CDK_DUMP_KEY_SIZE, "%" PRIx32 "-%08" PRIx32 "%08" PRIx32 "-%s", (uint32_t)dump->size,
             (uint32_t)(hash >> 32), (uint32_t)hash, tail_digits);
    return ESP_OK;
}

/*
 * Erasing takes seconds, and a power cut in the middle would leave the length of the dump with a part of its bytes, which
 * looks like another dump. So the length is overwritten first: that needs no erase, since it only clears bits. On an
 * encrypted partition the length becomes noise instead of zero, which is no length either.
 */
static void clear_length(const esp_partition_t *partition)
{
    static const uint8_t zeros[WORD_BLOCK_SIZE];
    /* May fail where writes are verified, on an encrypted partition: the erase follows in any case. */
    esp_partition_write(partition, 0, zeros, sizeof(zeros));
}

esp_err_t cdk_dump_discard(const cdk_dump_t *dump)
{
    clear_length(dump->partition);
    /* Not by esp_partition_erase_range: with FLASH_NO_OVERWRITE the next crash would not be saved. */
    return esp_core_dump_image_erase();
}

/*
 * A length that cannot be one: the erase was interrupted; or the partition is encrypted and was never written, so that
 * erased flash reads as noise. With FLASH_NO_OVERWRITE such a partition would take no dump.
 */
void cdk_dump_tidy(void)
{
    size_t address = 0;
    size_t size = 0;
    if (esp_core_dump_image_get(&address, &size) != ESP_ERR_INVALID_SIZE) {
        return;
    }
    const esp_partition_t *partition = find_partition();
    uint32_t word = BLANK_WORD;
    if (partition == NULL || partition->size < WORD_BLOCK_SIZE ||
        esp_partition_read(partition, 0, &word, sizeof(word)) != ESP_OK || word == BLANK_WORD) {
        return;
    }
    esp_err_t err = esp_core_dump_image_erase();
    ESP_LOGI(TAG, "the core dump partition held no dump and was not blank; it is erased (%s)", esp_err_to_name(err));
}

#else /* Core dumps are not written to flash. */

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

esp_err_t cdk_dump_discard(const cdk_dump_t *dump)
{
    (void)dump;
    return ESP_ERR_NOT_FOUND;
}

void cdk_dump_tidy(void)
{
}

#endif
