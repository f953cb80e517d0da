/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* Removes a dump that the server has, also when power is lost in the middle. */
#pragma once

#include <stdint.h>
#include "dump.h"

/* Only for a dump that the server has. The buffer is for reading it. */
esp_err_t cdk_discard(const cdk_dump_t *dump, uint8_t *buffer, size_t buffer_size);

/*
 * Finishes what cdk_discard of an earlier run has begun, and makes a partition blank that holds neither a dump nor blank
 * flash. Before a dump is looked for.
 */
void cdk_discard_finish(uint8_t *buffer, size_t buffer_size);
