/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/*
 * The block that every dump has in it: who the device is, named values, the last log lines. block-format.md is its description
 * for readers. All numbers are little-endian.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "esp_attr.h"
#include "freertos/FreeRTOS.h"
#include "coredock.h"
#include "options.h"

#define CDK_BLOCK_VERSION 1

extern const char cdk_block_magic[16];

typedef struct {
    char magic[16];
    uint16_t version;
    uint16_t header_size;
    uint32_t size;
    uint16_t identity_offset;
    uint16_t identity_size;
    uint16_t values_offset;
    uint16_t value_size;
    uint16_t value_count;
    uint16_t log_offset;
    uint32_t log_size;
    uint32_t reserved;
    /* CRC-32 of the bytes before it. */
    uint32_t crc;
} cdk_block_header_t;

typedef struct {
    char model[36];
    char serial[68];
    char firmware_version[68];
    char project[36];
    uint8_t elf_sha256[32];
    /* Random, of this boot: two crashes never have the same bytes. */
    uint8_t boot_id[8];
    /* Boots since power was applied, the first is 1. */
    uint32_t boot_count;
    /* esp_reset_reason_t of the restart before this run. */
    uint32_t reset_reason;
    /* CRC-32 of the bytes before it. */
    uint32_t crc;
} cdk_block_identity_t;

enum { CDK_VALUE_NONE = 0, CDK_VALUE_INT = 1, CDK_VALUE_FLOAT = 2, CDK_VALUE_TEXT = 3 };

typedef struct {
    /* Odd while the slot is being written. */
    uint32_t sequence;
    uint8_t type;
    uint8_t text_length;
    uint16_t reserved;
    char name[COREDOCK_NAME_MAX + 1];
    union {
        int64_t as_int;
        double as_float;
        char as_text[COREDOCK_TEXT_MAX];
    } content;
} cdk_block_value_t;

typedef struct {
    /* Where the oldest byte is, from the beginning of `text`. */
    uint32_t begin;
    /* Bytes of text; they go round the end of `text`. */
    uint32_t length;
#if CONFIG_COREDOCK_LOG_RING_SIZE > 0
    char text[CONFIG_COREDOCK_LOG_RING_SIZE];
#endif
} cdk_block_log_t;

typedef struct {
    cdk_block_header_t header;
    cdk_block_identity_t identity;
#if CONFIG_COREDOCK_VALUES > 0
    cdk_block_value_t values[CONFIG_COREDOCK_VALUES];
#endif
    cdk_block_log_t log;
} cdk_block_t;

extern cdk_block_t cdk_block;
/* Guards `values` and `log`, against tasks, the other core and interrupts. */
extern portMUX_TYPE cdk_block_lock;

typedef struct {
    const char *model;
    const char *serial;
    const char *firmware_version;
    uint32_t boot_count;
    uint32_t reset_reason;
} cdk_block_owner_t;

/* Writes header and identity: from then on a reader finds the block. */
void cdk_block_seal(const cdk_block_owner_t *owner);

/* What was not known yet when the block was sealed before app_main. */
void cdk_block_set_reset_reason(uint32_t reset_reason);
