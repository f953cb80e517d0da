/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* Checksums of our own, since those of ESP-IDF move between releases: neither is a cryptographic hash. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* CRC-32 as in Ethernet and zip: begin with 0. */
uint32_t cdk_crc32(uint32_t crc, const void *bytes, size_t length);

#define CDK_FNV_START 0xcbf29ce484222325ULL
/* FNV-1a with 64 bits: begin with CDK_FNV_START. */
uint64_t cdk_fnv1a(uint64_t hash, const void *bytes, size_t length);

/* Lower-case hexadecimal digits; `text` has 2 * length + 1 bytes. */
void cdk_hex(char *text, const uint8_t *bytes, size_t length);
