/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "dump_run.h"

#include <string.h>
#include "block.h"
#include "digest.h"
#include "options.h"

#if CONFIG_COREDOCK_CRASH_SUMMARY && CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH

#include "esp_core_dump.h"

#define MAGIC_SIZE 16
#define ID_SIZE 8

/* Where the header that begins at `at` has the id of its run; 0: it is no header. */
static size_t id_after(const cdk_dump_t *dump, size_t at)
{
    cdk_block_header_t header;
    if (cdk_dump_read(dump, at, &header, sizeof(header)) != ESP_OK || header.version != CDK_BLOCK_VERSION ||
        header.crc != cdk_crc32(0, &header, offsetof(cdk_block_header_t, crc))) {
        return 0;
    }
    return at + header.identity_offset + offsetof(cdk_block_identity_t, boot_id);
}

typedef struct {
    bool has_block;
    bool is_of_run;
} finding_t;

static void look_at(const cdk_dump_t *dump, size_t at, const uint8_t *boot_id, finding_t *finding)
{
    uint8_t id[ID_SIZE];
    size_t id_at = id_after(dump, at);
    if (id_at == 0 || dump->size < ID_SIZE || id_at > dump->size - ID_SIZE || cdk_dump_read(dump, id_at, id, ID_SIZE) != ESP_OK) {
        return;
    }
    finding->has_block = true;
    finding->is_of_run = finding->is_of_run || memcmp(id, boot_id, ID_SIZE) == 0;
}

static finding_t search(const cdk_dump_t *dump, const uint8_t *boot_id, uint8_t *buffer, size_t buffer_size)
{
    finding_t finding = {0};
    /* The memory in a dump begins at a multiple of four; the block in it, at one of 16. */
    for (size_t at = 0; at + sizeof(cdk_block_header_t) <= dump->size && !finding.is_of_run; at += buffer_size - MAGIC_SIZE) {
        size_t length = dump->size - at < buffer_size ? dump->size - at : buffer_size;
        if (cdk_dump_read(dump, at, buffer, length) != ESP_OK) {
            break;
        }
        for (size_t i = 0; i + MAGIC_SIZE <= length; i += 4) {
            if (memcmp(buffer + i, cdk_block_magic, MAGIC_SIZE) == 0 && at + i + sizeof(cdk_block_header_t) <= dump->size) {
                look_at(dump, at + i, boot_id, &finding);
            }
        }
    }
    return finding;
}

bool cdk_dump_is_of_run(const cdk_dump_t *dump, const uint8_t boot_id[8], uint8_t *buffer, size_t buffer_size)
{
    static const uint8_t before_start[ID_SIZE];
    finding_t finding = search(dump, boot_id, buffer, buffer_size);
    if (finding.has_block) {
        return finding.is_of_run;
    }
#if CONFIG_ESP_COREDUMP_DATA_FORMAT_BIN
    return true; /* Such dumps have no block. */
#else
    /* A dump that was cut off by the crash may have lost its block. A whole one without has nothing to do with this run. */
    return memcmp(boot_id, before_start, ID_SIZE) == 0 || esp_core_dump_image_check() == ESP_ERR_INVALID_CRC;
#endif
}

#else

bool cdk_dump_is_of_run(const cdk_dump_t *dump, const uint8_t boot_id[8], uint8_t *buffer, size_t buffer_size)
{
    (void)dump;
    (void)boot_id;
    (void)buffer;
    (void)buffer_size;
    return false;
}

#endif
