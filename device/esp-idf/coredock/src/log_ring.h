/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* The last lines of the log, in the block. */
#pragma once

#include <stddef.h>

/* Begins to listen to the log; the function that printed it before goes on printing. */
void cdk_log_ring_start(void);
