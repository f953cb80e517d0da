/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "discard.h"

#include <stdbool.h>
#include <string.h>
#include "esp_log.h"
#include "digest.h"
#include "options.h"

#if CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH

#include "esp_core_dump.h"

static const char *TAG = "coredock";

/* What an encrypted partition can write at once, and what esp_core_dump_image_erase writes. */
#define BLOCK_SIZE 16
#define BLANK_WORD 0xffffffffu

/*
 * Erasing takes seconds, and power may be lost in the middle. Then the partition holds the length of the dump and a part of
 * its bytes, which looks like another dump, and the server would have two of one crash. So, in this order:
 *
 * 1. a receipt at the end of the partition says which dump the server has;
 * 2. the length is overwritten by zeros, which needs no erase, since it only clears bits;
 * 3. the partition is erased, from its beginning to its end: the receipt goes last.
 */
typedef struct {
    char magic[8];
    uint64_t hash;
    uint32_t size;
    uint32_t reserved[2];
    uint32_t crc;
} receipt_t;

_Static_assert(sizeof(receipt_t) == 2 * BLOCK_SIZE, "two blocks");

static receipt_t receipt_for(const cdk_dump_t *dump, uint64_t hash)
{
    receipt_t receipt = {.hash = hash, .size = (uint32_t)dump->size};
    memcpy(receipt.magic, "received", sizeof(receipt.magic));
    receipt.crc = cdk_crc32(0, &receipt, offsetof(receipt_t, crc));
    return receipt;
}

static size_t receipt_offset(const esp_partition_t *partition)
{
    return partition->size / BLOCK_SIZE * BLOCK_SIZE - sizeof(receipt_t);
}

static bool has_room(const cdk_dump_t *dump)
{
    return dump->partition->size >= 2 * sizeof(receipt_t) &&
           dump->offset + dump->size <= receipt_offset(dump->partition);
}

static bool read_receipt(const esp_partition_t *partition, receipt_t *receipt)
{
    return partition->size >= 2 * sizeof(*receipt) &&
           esp_partition_read(partition, receipt_offset(partition), receipt, sizeof(*receipt)) == ESP_OK &&
           memcmp(receipt->magic, "received", sizeof(receipt->magic)) == 0 &&
           receipt->crc == cdk_crc32(0, receipt, offsetof(receipt_t, crc));
}

static void clear_length(const esp_partition_t *partition)
{
    static const uint8_t zeros[BLOCK_SIZE];
    /* On an encrypted partition the length becomes noise, which is no length either. There it may fail, where writes are
     * verified: the erase follows in any case. */
    esp_partition_write(partition, 0, zeros, sizeof(zeros));
}

static esp_err_t erase(const esp_partition_t *partition)
{
    clear_length(partition);
    /* Not by esp_partition_erase_range: with FLASH_NO_OVERWRITE the next crash would not be saved. */
    return esp_core_dump_image_erase();
}

esp_err_t cdk_discard(const cdk_dump_t *dump, uint8_t *buffer, size_t buffer_size)
{
    uint64_t hash;
    if (has_room(dump) && cdk_dump_hash(dump, &hash, buffer, buffer_size) == ESP_OK) {
        receipt_t receipt = receipt_for(dump, hash);
        /* If it cannot be written, only the protection against a power cut is less. */
        esp_partition_write(dump->partition, receipt_offset(dump->partition), &receipt, sizeof(receipt));
    }
    return erase(dump->partition);
}

/* A length that cannot be one: erasing was interrupted, or an encrypted partition was never written and reads as noise.
 * With FLASH_NO_OVERWRITE such a partition would take no dump. */
static bool is_neither_dump_nor_blank(const esp_partition_t *partition)
{
    size_t address = 0;
    size_t size = 0;
    uint32_t word = BLANK_WORD;
    return partition->size >= BLOCK_SIZE &&
           esp_core_dump_image_get(&address, &size) == ESP_ERR_INVALID_SIZE &&
           esp_partition_read(partition, 0, &word, sizeof(word)) == ESP_OK && word != BLANK_WORD;
}

/* The dump that the receipt is for, or what an interrupted erase left of it. A whole dump that is another one is of a later
 * crash. */
static bool is_received(const cdk_dump_t *dump, uint8_t *buffer, size_t buffer_size)
{
    receipt_t receipt;
    uint64_t hash;
    if (!has_room(dump) || !read_receipt(dump->partition, &receipt) || cdk_dump_hash(dump, &hash, buffer, buffer_size) != ESP_OK) {
        return false;
    }
    return (receipt.size == dump->size && receipt.hash == hash) || esp_core_dump_image_check() == ESP_ERR_INVALID_CRC;
}

/* The erase had passed the length, but not reached the receipt. ESP-IDF erases only what the next dump needs, so the
 * receipt would lie behind it, and if that was cut off while it was written, it would look like the rest of a received one. */
static bool has_old_receipt(const esp_partition_t *partition)
{
    receipt_t receipt;
    return read_receipt(partition, &receipt);
}

void cdk_discard_finish(uint8_t *buffer, size_t buffer_size)
{
    const esp_partition_t *partition = cdk_dump_partition();
    if (partition == NULL) {
        return;
    }
    cdk_dump_t dump;
    bool is_rest = cdk_dump_find(&dump) == ESP_OK ? is_received(&dump, buffer, buffer_size)
                                                  : is_neither_dump_nor_blank(partition) || has_old_receipt(partition);
    if (is_rest) {
        esp_err_t err = erase(partition);
        ESP_LOGI(TAG, "the core dump partition held the rest of a dump; it is erased (%s)", esp_err_to_name(err));
    }
}

#else /* Core dumps are not written to flash. */

esp_err_t cdk_discard(const cdk_dump_t *dump, uint8_t *buffer, size_t buffer_size)
{
    (void)dump;
    (void)buffer;
    (void)buffer_size;
    return ESP_ERR_NOT_FOUND;
}

void cdk_discard_finish(uint8_t *buffer, size_t buffer_size)
{
    (void)buffer;
    (void)buffer_size;
}

#endif
