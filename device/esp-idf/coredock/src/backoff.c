/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "backoff.h"

uint32_t cdk_backoff_next(cdk_backoff_t *backoff, uint32_t retry_after_s, uint32_t random)
{
    uint32_t pause_s = backoff->min_s;
    for (uint32_t i = 0; i < backoff->failures && pause_s < backoff->max_s; i++) {
        pause_s = pause_s > backoff->max_s / 2 ? backoff->max_s : pause_s * 2;
    }
    backoff->failures++;
    uint32_t half_ms = pause_s * 500;
    uint32_t pause_ms = half_ms + random % (half_ms + 1);
    uint32_t asked_ms = retry_after_s == 0 ? 0 : cdk_backoff_spread(retry_after_s, random);
    return pause_ms > asked_ms ? pause_ms : asked_ms;
}

uint32_t cdk_backoff_spread(uint32_t seconds, uint32_t random)
{
    return seconds * 1000 + random % (seconds * 100 + 1);
}
