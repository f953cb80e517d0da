/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* The last lines of the log, in the block. */
#pragma once

#include <stdint.h>

/* Begins to listen to the log; the function that printed it before goes on printing. */
void cdk_log_ring_start(void);

/*
 * Copies the newest lines, as many as fit; the first one is whole. In the panic handler only, while nothing else runs.
 *
 * @return bytes
 */
uint32_t cdk_log_ring_copy(char *to, uint32_t size);
