/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "block.h"

#include <string.h>
#include "esp_random.h"
#include "digest.h"
#include "identity.h"

_Static_assert(sizeof(cdk_block_header_t) == 48, "block-format.md");
_Static_assert(sizeof(cdk_block_identity_t) == 260, "block-format.md");
_Static_assert(sizeof(cdk_block_value_t) == 64, "block-format.md");
_Static_assert(offsetof(cdk_block_value_t, content) == 32, "block-format.md");

/*
 * Initialised data, which is part of each dump: so it is empty after every restart, and is kept nowhere but in the dump.
 * 16 bytes of alignment, so that a reader has few places to look at.
 */
COREDOCK_IN_DUMPS cdk_block_t cdk_block __attribute__((aligned(16))) = {0};

portMUX_TYPE cdk_block_lock = portMUX_INITIALIZER_UNLOCKED;

const char cdk_block_magic[16] = "COREDOCK\x1a" "block\r\n";

static void copy_text(char *to, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);
    memcpy(to, text, length);
    to[length] = '\0';
}

static void seal_identity(void)
{
    cdk_block.identity.crc = cdk_crc32(0, &cdk_block.identity, offsetof(cdk_block_identity_t, crc));
}

void cdk_block_set_reset_reason(uint32_t reset_reason)
{
    if (cdk_block.identity.reset_reason != reset_reason) {
        cdk_block.identity.reset_reason = reset_reason;
        seal_identity();
    }
}

void cdk_block_seal(const cdk_block_owner_t *owner)
{
    cdk_block_identity_t *identity = &cdk_block.identity;
    copy_text(identity->model, sizeof(identity->model), owner->model);
    copy_text(identity->serial, sizeof(identity->serial), owner->serial);
    copy_text(identity->firmware_version, sizeof(identity->firmware_version), owner->firmware_version);
    copy_text(identity->project, sizeof(identity->project), cdk_app_project());
    memcpy(identity->elf_sha256, cdk_app_elf_sha256(), sizeof(identity->elf_sha256));
    esp_fill_random(identity->boot_id, sizeof(identity->boot_id));
    identity->boot_count = owner->boot_count;
    identity->reset_reason = owner->reset_reason;
    seal_identity();

    /* In place: a copy on the stack would look like a second block in a dump. */
    cdk_block_header_t *header = &cdk_block.header;
    memcpy(header->magic, cdk_block_magic, sizeof(header->magic));
    header->version = CDK_BLOCK_VERSION;
    header->header_size = sizeof(cdk_block_header_t);
    header->size = sizeof(cdk_block_t);
    header->identity_offset = offsetof(cdk_block_t, identity);
    header->identity_size = sizeof(cdk_block_identity_t);
#if CONFIG_COREDOCK_VALUES > 0
    header->values_offset = offsetof(cdk_block_t, values);
#endif
    header->value_size = sizeof(cdk_block_value_t);
    header->value_count = CONFIG_COREDOCK_VALUES;
    header->log_offset = offsetof(cdk_block_t, log);
    header->log_size = CONFIG_COREDOCK_LOG_RING_SIZE;
    header->crc = cdk_crc32(0, header, offsetof(cdk_block_header_t, crc));
}
