/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* Which run of the device a dump is of. */
#pragma once

#include <stdbool.h>
#include "dump.h"

/*
 * Whether the dump is of the crash that ended the run with this id (block-format.md), zeros: a run that crashed before
 * coredock_start. Reads the dump up to its block, by pieces of `buffer_size` bytes.
 */
bool cdk_dump_is_of_run(const cdk_dump_t *dump, const uint8_t boot_id[8], uint8_t *buffer, size_t buffer_size);
