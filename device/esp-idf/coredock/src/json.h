/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* Writes JSON without holding it: only the bytes of a window are kept, the others are counted. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
    /* The window, and where it begins and ends in the whole text. */
    char *window;
    size_t begin;
    size_t end;
    /* Bytes that were written; at the end, the size of the whole text. */
    size_t size;
} cdk_json_t;

/* As it is. */
void cdk_json_add(cdk_json_t *json, const char *text);

/* A part of a string, with what JSON and UTF-8 do not allow replaced. Up to `length` bytes, or the first NUL. */
void cdk_json_add_text(cdk_json_t *json, const char *text, size_t length);

/* "0x3fc8cfc0", with its quotes. */
void cdk_json_add_address(cdk_json_t *json, uint32_t address);

/* In base64, without quotes. */
void cdk_json_add_bytes(cdk_json_t *json, const uint8_t *bytes, size_t length);
