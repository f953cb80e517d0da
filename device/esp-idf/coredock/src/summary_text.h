/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* The JSON of a crash (docs/api.md, POST /api/iot/crash), made anew for each piece that is sent. */
#pragma once

#include <stddef.h>
#include "crash.h"

typedef struct {
    const cdk_crash_record_t *crash;
    /* Of the kept log, what is before it is left out. */
    uint32_t log_begin;
} cdk_summary_text_t;

/* Bytes. */
size_t cdk_summary_size(const cdk_summary_text_t *text);

/* The bytes from `at` on. */
void cdk_summary_read(const cdk_summary_text_t *text, size_t at, void *buffer, size_t length);
