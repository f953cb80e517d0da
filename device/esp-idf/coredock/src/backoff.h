/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* How long to wait before the next attempt. */
#pragma once

#include <stdint.h>

typedef struct {
    uint32_t min_s;
    uint32_t max_s;
    /* In a row. */
    uint32_t failures;
} cdk_backoff_t;

/*
 * Counts a failure. The pause doubles with each one, and half of it is random, so that a fleet spreads out; it is never
 * shorter than what the server asked for.
 *
 * @param retry_after_s 0: the server did not say
 * @return milliseconds
 */
uint32_t cdk_backoff_next(cdk_backoff_t *backoff, uint32_t retry_after_s, uint32_t random);

/* Milliseconds: `seconds`, and up to a tenth more. */
uint32_t cdk_backoff_spread(uint32_t seconds, uint32_t random);
